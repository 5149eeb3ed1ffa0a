"""The admin's page of a room's document camera, and the test sheet to print for it. What is seen there comes by the API."""

import msgspec
from aiohttp import web

from etapalvelu.domain.cameras import CameraSettings, Mode
from etapalvelu.domain.errors import NotFoundError
from etapalvelu.pages.site import language_of, site_of
from etapalvelu.target_sheet import sheet_pdf


async def show(request: web.Request) -> web.StreamResponse:
    site = site_of(request)
    room = await site.places.room(request.match_info["room"])
    if room is None:
        raise NotFoundError
    settings = await site.places.camera(room.id)
    values = {
        "room": room,
        "is_in_use": await site.reports.open_in_room(room.id) is not None,
        "settings": settings,
        "settings_json": msgspec.json.encode(settings).decode(),
        "mode": mode_text(settings.mode),
        "shares": _percents(settings),
    }
    return await site.page(request, "admin_camera.html", values)


async def sheet(request: web.Request) -> web.StreamResponse:
    """The test sheet, with its words in the reader's language."""
    say = language_of(request).text
    body = sheet_pdf(say("camera_sheet.title"), [say(f"camera_sheet.line_{number}") for number in (1, 2, 3)])
    headers = {"Content-Disposition": 'inline; filename="camera-sheet-a4.pdf"'}
    return web.Response(body=body, content_type="application/pdf", headers=headers)


def mode_text(mode: Mode | None) -> str:
    """As the page's list of modes spells it; empty for the best there is."""
    return "" if mode is None else f"{mode.width}x{mode.height}@{mode.frames_per_second}"


def _percents(settings: CameraSettings) -> dict[str, int]:
    """The crop as the page's fields have it: left, top, width and height in hundredths."""
    crop = settings.crop
    left, top, right, bottom = (0.0, 0.0, 1.0, 1.0) if crop is None else (crop.left, crop.top, crop.right, crop.bottom)
    return {
        "left": round(left * 100),
        "top": round(top * 100),
        "width": round((right - left) * 100),
        "height": round((bottom - top) * 100),
    }
