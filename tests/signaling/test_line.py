"""A line's transport at its end."""

import asyncio
import ssl
from pathlib import Path

import pytest

from signaling.line import holds_unsent
from tests.certificates import certify


@pytest.fixture
def server_side(tmp_path: Path) -> ssl.SSLContext:
    certify(tmp_path, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    return context


@pytest.fixture
def client_side(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def test_one_of_tls_holds_nothing_any_more_once_it_was_cut(
    server_side: ssl.SSLContext, client_side: ssl.SSLContext
) -> None:
    served: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        transport = writer.transport
        assert isinstance(transport, asyncio.Transport)
        served.set_result(transport)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_side)
    async with server:
        port = server.sockets[0].getsockname()[1]
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_side)
        transport = await served
        for _ in range(2):
            transport.write(b"x" * 10_000_000)
        before = holds_unsent(transport)
        transport.abort()
        transport.close()

        assert before
        assert not holds_unsent(transport)
        writer.transport.abort()
