"""The API as a whole: its calls put on the application."""

import json
from functools import cache
from importlib.metadata import version

from aiohttp import web

from etapalvelu.access import Access
from etapalvelu.api.calls import Call
from etapalvelu.api.cameras import Cameras, camera_calls
from etapalvelu.api.checks import Checks, check_calls
from etapalvelu.api.deeds import deed_calls
from etapalvelu.api.devices import CameraWord, Devices, device_calls
from etapalvelu.api.openapi import describe
from etapalvelu.api.questions import question_calls
from etapalvelu.desk import Desk
from etapalvelu.ports import Board, Clock, PlaceStore
from etapalvelu.reports import Reports
from etapalvelu.setups import CameraSetups
from etapalvelu.upcoming import Preparing

PREFIX = "/api/v1"


def attach(
    app: web.Application,
    *,
    desk: Desk,
    reports: Reports,
    preparing: Preparing,
    access: Access,
    places: PlaceStore,
    board: Board,
    setups: CameraSetups,
    clock: Clock,
    checks: Checks,
    camera_is: CameraWord,
) -> None:
    """Add every call. Called once by `app`, which also puts `problems.tell_problems` around `doors.guard`."""
    calls: tuple[Call, ...] = (
        *deed_calls(desk, clock),
        *question_calls(reports, preparing),
        *device_calls(Devices(access=access, places=places, board=board, camera_is=camera_is)),
        *check_calls(checks),
        *camera_calls(Cameras(places=places, reports=reports, setups=setups, board=board, clock=clock)),
    )
    for call in calls:
        app.router.add_route(call.method, PREFIX + call.path, call.respond)

    @cache
    def described() -> str:
        return json.dumps(describe(calls, PREFIX, version("etapalvelu")), ensure_ascii=False, indent=1)

    async def openapi(_request: web.Request) -> web.Response:
        return web.Response(text=described(), content_type="application/json")

    app.router.add_get(f"{PREFIX}/openapi.json", openapi, allow_head=False)
