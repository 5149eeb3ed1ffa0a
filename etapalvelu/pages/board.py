"""The supervisor's board: how things are now, what needs somebody, and what is usual. It reads only."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from aiohttp import web

from etapalvelu.access import Visitor, visitor_of
from etapalvelu.domain.codes import State
from etapalvelu.domain.moments import HELSINKI, midnight
from etapalvelu.domain.people import Role
from etapalvelu.domain.places import ServicePoint
from etapalvelu.domain.queue import places_among
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import is_open
from etapalvelu.pages.advisor_views import RoomTile, open_lines
from etapalvelu.pages.board_views import (
    Alarm,
    BoardView,
    long_waits,
    room_tile_of,
    rooms_to_mend,
    themes_without,
    today_figures,
)
from etapalvelu.pages.site import Site, site_of
from etapalvelu.reports import RoomState


async def show(request: web.Request) -> web.StreamResponse:
    site = site_of(request)
    return await site.page(request, "supervisor.html", {"view": await board_view(site, visitor_of(request))})


async def board_view(site: Site, visitor: Visitor) -> BoardView:
    still_open = await site.reports.open_sessions(visitor.person)
    begins = midnight(site.today())
    today = await site.reports.between(visitor.person, begins, begins + timedelta(days=2))
    points = {point.id: point for point in await site.reports.points(visitor.person)}
    rooms = await site.reports.rooms(visitor.person)
    where = {state.room.id: f"{_name(points, state.room.point)}, {state.room.name}" for state in rooms}
    tiles = [room_tile_of(state, _name(points, state.room.point), site.clock()) for state in rooms]
    return BoardView(
        alarms=await _alarms(site, still_open, where, _at_work(site, rooms, tiles, points)),
        figures=today_figures(today, still_open, await site.reports.days_like_today(visitor.person)),
        weekday=site.today().weekday(),
        rooms=tuple(tiles),
        may_check=visitor.role is Role.SUPERVISOR,
        sessions=open_lines(
            still_open, places_among(still_open), where, await site.names(session.expert for session in still_open)
        ),
    )


async def _alarms(
    site: Site, still_open: Sequence[Session], where: Mapping[str, str], rooms: Sequence[RoomTile]
) -> tuple[Alarm, ...]:
    waiting = [session for session in still_open if session.state is State.WAITING]
    experts = await site.accounts.signed_in(Role.EXPERT, site.clock()) if waiting else []
    return (
        *long_waits(waiting, where, site.clock(), site.longest_wait),
        *themes_without(experts, waiting),
        *rooms_to_mend(rooms),
    )


def _at_work(
    site: Site, rooms: Sequence[RoomState], tiles: Sequence[RoomTile], points: Mapping[str, ServicePoint]
) -> list[RoomTile]:
    """The rooms whose point is open: elsewhere the machines are off for the night."""
    now = site.clock()
    today = now.astimezone(HELSINKI).date()
    return [
        tile
        for state, tile in zip(rooms, tiles, strict=True)
        if (point := points.get(state.room.point)) is not None
        and point.opens_on <= today
        and is_open(now, point.hours, site.calendar.is_holiday)
    ]


def _name(points: Mapping[str, ServicePoint], point: str) -> str:
    return points[point].name if point in points else point
