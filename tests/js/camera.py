"""The pretended room agent's page for the trial server: real desks from the bench, and words a test puts into its mouth.

The page is `/agent`; `window.agent` on it says what lies on the table. Its pictures are `/desk/KIND.jpg`.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
from aiohttp import web

from bench.desks import Desk, make_desk
from etapalvelu.pages.assets import STATIC

PAGE = (
    "<!doctype html><title>Agent</title><link rel=icon href=data:,><canvas></canvas><script type=module src=/agent.js></script>"
)
SEED = 4


@cache
def desk(kind: str) -> Desk:
    return make_desk(SEED, kind, sheet="letter" if kind in ("plain", "hand", "glare") else None)


def fractions(shown: Desk) -> Sequence[Sequence[float]]:
    """The sheet's corners as the protocol tells them."""
    if shown.corners is None:
        raise ValueError("there is no sheet on this desk")
    height, width = shown.image_bgr.shape[:2]
    return [[float(x) / width, float(y) / height] for x, y in shown.corners]


async def _page(_request: web.Request) -> web.Response:
    return web.Response(text=PAGE, content_type="text/html")


async def _script(_request: web.Request) -> web.Response:
    script = Path(__file__).with_name("agent.js").read_text(encoding="utf-8")
    return web.Response(text=script, content_type="text/javascript")


async def _desk(request: web.Request) -> web.Response:
    _, picture = cv2.imencode(".jpg", desk(request.match_info["kind"]).image_bgr)
    return web.Response(body=picture.tobytes(), content_type="image/jpeg")


def add_camera(app: web.Application) -> None:
    app.add_routes([web.get("/agent", _page), web.get("/agent.js", _script), web.get("/desk/{kind}.jpg", _desk)])
    app.router.add_static("/js", STATIC / "js")
