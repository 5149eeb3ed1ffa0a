"""The smallest aiohttp server with the same sockets: streams with a comment every 10 s, websockets with a heartbeat of 3 s."""

import asyncio
import contextlib
import sys

from aiohttp import web

KEEP_ALIVE_SECONDS = 10
HEARTBEAT_SECONDS = 3


async def live(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b":\n\n")
            await asyncio.sleep(KEEP_ALIVE_SECONDS)
    return response


async def call(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_SECONDS, protocols=["etapalvelu.call.v1"])
    await socket.prepare(request)
    await socket.receive()
    await socket.send_json({"type": "welcome"})
    async for _ in socket:
        pass
    return socket


async def ready(_request: web.Request) -> web.Response:
    return web.Response(text="ready\n")


app = web.Application()
app.add_routes([web.get("/live", live), web.get("/call", call), web.get("/readyz", ready)])
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None, shutdown_timeout=0.5)
