"""The commands that go on until they are told to stop: server, demo, room."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from etapalvelu.keys import load_keys
from tests.cli.conftest import Shell, write_config
from tests.e2e.processes import free_port

# How long a server may take to start or to end.
LIMIT_SECONDS = 30


@pytest.fixture
def taken_port() -> Iterator[int]:
    with closing(socket.socket()) as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_server_whose_port_is_taken_says_so(shell: Shell, config: Path, taken_port: int) -> None:
    write_config(config.parent, port=taken_port)

    words = shell("serve", "--config", str(config)).refusal()

    assert words.startswith(f"[server] host and port: cannot listen on 127.0.0.1:{taken_port}: ")


def test_a_server_whose_certificate_cannot_be_used_says_so(shell: Shell, config: Path) -> None:
    text = config.read_text().replace("[server]", '[server]\ntls_cert = "cert.pem"\ntls_key = "key.pem"')
    config.write_text(text)

    words = shell("serve", "--config", str(config)).refusal()

    assert words.startswith("[server] tls_cert, tls_key: cannot be used: ")


def test_a_server_whose_keys_are_broken_says_so(shell: Shell, config: Path) -> None:
    (config.parent / "etapalvelu.keys").write_text("no keys")

    assert "the file of keys cannot be used" in shell("serve", "--config", str(config)).refusal()


def test_a_demo_whose_port_is_taken_says_so(shell: Shell, tmp_path: Path, taken_port: int) -> None:
    words = shell("demo", "--port", str(taken_port), "--data", str(tmp_path / "demo")).refusal()

    assert words == f"--port {taken_port}: Address already in use; choose another"
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_cannot_write_its_data_says_so(shell: Shell, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("no folder")

    words = shell("demo", "--port", str(free_port()), "--data", str(path)).refusal()

    assert words.startswith(f"--data {path}: ")


def test_a_room_with_a_camera_that_is_none_says_so(shell: Shell, tmp_path: Path) -> None:
    words = shell("room", "--server", "http://127.0.0.1:9", "--camera", "periscope:7", "--state", str(tmp_path)).refusal()

    assert "periscope:7" in words


def test_a_server_serves_until_it_is_told_to_stop(config: Path) -> None:
    port = free_port()
    write_config(config.parent, port=port)
    keys = load_keys(config.parent / "etapalvelu.keys")

    with subprocess.Popen(
        [sys.executable, "-m", "etapalvelu", "serve", "--config", str(config)], stderr=subprocess.PIPE
    ) as server:
        assert server.stderr is not None
        try:
            answers = [ready(f"http://127.0.0.1:{port}{path}", server) for path in ("/healthz", "/readyz")]
            start = time.monotonic()
        finally:
            server.send_signal(signal.SIGTERM)
            said = server.stderr.read()

    assert (answers, server.returncode, said) == ([b"ok\n", b"ready\n"], 0, b"")
    assert time.monotonic() - start < LIMIT_SECONDS
    assert load_keys(config.parent / "etapalvelu.keys") == keys


def ready(url: str, server: subprocess.Popen[bytes]) -> bytes:
    """What the server answers as soon as it answers."""
    end = time.monotonic() + LIMIT_SECONDS
    while server.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=LIMIT_SECONDS) as answer:  # noqa: S310 - our own server
                body: bytes = answer.read()
                return body
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"no answer from {url}; the server's exit code is {server.poll()}")
