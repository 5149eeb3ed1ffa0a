"""What viewers are told of the table, from sightings a test makes up; with a camera and real connections in test_paper."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest

from etapalvelu.room.camera import Camera, CameraStatus
from etapalvelu.room.eye import Sighting
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.tabletop import LONGEST_SILENCE_SECONDS, Tabletop
from etapalvelu.room.watch import HUSH_SECONDS
from signaling.document import (
    AddMark,
    FromAgent,
    Mark,
    MarkClear,
    Marks,
    MarkUndo,
    Page,
    PointAt,
    PointEnd,
    Refused,
    SetView,
)
from signaling.messages import Seat
from tests.room.cameras import until
from tests.room.service import now
from tests.room.tables import Quad
from tests.room.test_eye import Sight

CORNERS = ((0.25, 0.1), (0.6, 0.1), (0.6, 0.9), (0.25, 0.9))
PLACE = np.array(CORNERS, np.float32)


class Outlet:
    """A viewer that keeps what it is told."""

    def __init__(self, seat: Seat = "expert") -> None:
        self.seat: Seat = seat
        self.has_room = True
        self.told: list[FromAgent] = []

    def send(self, message: FromAgent) -> None:
        self.told.append(message)

    def take(self) -> list[FromAgent]:
        told, self.told = self.told, []
        return told

    @property
    def pages(self) -> list[Page]:
        return [message for message in self.told if isinstance(message, Page)]


class Table:
    """A tabletop that sees what the test says, at the time the test says."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.camera = Camera(Source(Kind.TEST))
        self.tabletop = Tabletop(self.camera, vision=Sight().vision, now=now, clock=lambda: self.now)

    def see(
        self,
        page: int = 1,
        corners: Quad | None = PLACE,
        *,
        calm: bool = True,
        hint: str | None = None,
        after: float = 0.125,
    ) -> None:
        self.now += after
        sighting = Sighting(at=self.now, page=page, corners=corners if page else None, is_calm=calm, hint=hint, ppi=90)
        self.tabletop.watch.last = sighting
        self.tabletop._seen(sighting)


@pytest.fixture
async def table(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Table]:
    monkeypatch.setattr(Camera, "status", CameraStatus(camera="ok", width=1920, height=1080))
    table = Table()
    yield table
    for viewer in list(table.tabletop._viewers):
        table.tabletop.left(viewer.outlet)
    await asyncio.sleep(0)


@pytest.fixture
async def expert(table: Table) -> Outlet:
    """An expert who has seen sheet 1."""
    expert = Outlet()
    table.tabletop.joined(expert)
    table.see()
    expert.take()
    return expert


async def test_a_newcomer_is_told_of_the_sheet_and_the_marks_at_once(table: Table, expert: Outlet) -> None:
    table.tabletop.receive(expert, AddMark(page=1, id="m1", points=((0.5, 0.5),)))
    screen = Outlet("room")

    table.tabletop.joined(screen)

    page, marks = screen.told
    assert isinstance(page, Page)
    assert (page.page, page.view, page.corners, page.hint, page.calm, page.ppi) == (1, "table", CORNERS, None, True, 90)
    assert marks == Marks(page=1, marks=(Mark(id="m1", points=((0.5, 0.5),)),), pointer=None)


async def test_a_newcomers_first_picture_is_made_in_peace_unless_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    hushed: list[float] = []
    table = Table()
    watch = table.tabletop.watch
    monkeypatch.setattr(watch, "start", lambda: None)
    monkeypatch.setattr(watch, "hush", lambda seconds: hushed.append(seconds if watch.is_alone else 0.0))

    viewers = [Outlet("room"), Outlet("expert"), Outlet("expert2")]
    for viewer in viewers:
        table.tabletop.joined(viewer)
    for viewer in viewers:
        table.tabletop.left(viewer)
    table.tabletop.joined(Outlet("expert"))

    assert hushed == [HUSH_SECONDS, HUSH_SECONDS, 0.0, HUSH_SECONDS]


async def test_a_sheet_that_lies_still_is_told_about_once_a_second(table: Table, expert: Outlet) -> None:
    for _ in range(40):
        table.see()

    assert 5 <= len(expert.pages) <= 40 * 0.125 / LONGEST_SILENCE_SECONDS + 1


@pytest.mark.parametrize(
    "change",
    [{"page": 2}, {"page": 0}, {"hint": "glare"}, {"calm": False}, {"corners": PLACE + np.float32(0.01)}],
    ids=lambda change: next(iter(change)),
)
async def test_a_change_is_told_at_once(table: Table, expert: Outlet, change: dict[str, object]) -> None:
    table.see(**change)  # type: ignore[arg-type]

    assert len(expert.pages) == 1


async def test_a_change_nobody_could_see_is_not_told(table: Table, expert: Outlet) -> None:
    table.see(corners=PLACE + np.float32(0.0005))

    assert expert.told == []


async def test_the_time_told_is_when_the_picture_was_taken(table: Table, expert: Outlet) -> None:
    before = now()
    sighting = Sighting(at=table.now - 60, page=3, corners=PLACE)

    table.tabletop._seen(sighting)

    told = expert.pages[0].at
    assert told.endswith("Z")
    assert 59 < (before - type(before).fromisoformat(told)).total_seconds() < 61


async def test_the_view_is_chosen_by_the_expert_for_everybody(table: Table, expert: Outlet) -> None:
    screen = Outlet("room")
    table.tabletop.joined(screen)
    screen.take()

    table.tabletop.receive(expert, SetView(view="page"))
    table.see(page=0)
    table.see(page=1)
    table.tabletop.receive(expert, SetView(view="table"))

    assert [page.view for page in screen.pages] == ["page", "table", "page", "table"]
    assert [page.corners == CORNERS for page in screen.pages] == [False, False, False, True]


async def test_only_experts_choose_point_and_mark(table: Table, expert: Outlet) -> None:
    screen, second = Outlet("room"), Outlet("expert2")
    for outlet in (screen, second):
        table.tabletop.joined(outlet)
    wishes = (
        SetView(view="page"),
        PointAt(page=1, point=(0.5, 0.5)),
        PointEnd(),
        AddMark(page=1, id="m1", points=((0.5, 0.5),)),
        MarkUndo(),
        MarkClear(),
    )
    table.now += 10
    for outlet in (screen, second):
        outlet.take()
        for wish in wishes:
            table.tabletop.receive(outlet, wish)
            table.now += 10

    tags = ("view", "point", "point_end", "mark", "mark_undo", "mark_clear")
    assert screen.take()[:6] == [Refused(what=tag, code="not_allowed") for tag in tags]
    assert not [message for message in second.told if isinstance(message, Refused)]


async def test_what_was_not_done_is_told_to_the_one_who_asked(table: Table, expert: Outlet) -> None:
    screen = Outlet("room")
    table.tabletop.joined(screen)
    screen.take()

    table.tabletop.receive(expert, PointAt(page=1, point=(1.5, 0.5)))
    table.tabletop.receive(expert, AddMark(page=9, id="m1", points=((0.5, 0.5),)))

    refusals = [Refused(what="point", code="outside_page"), Refused(what="mark", code="page_gone")]
    assert (expert.take(), screen.take()) == (refusals, [])


async def test_a_moving_pointer_is_told_as_often_as_eyes_need_and_where_it_came_to_rest(table: Table, expert: Outlet) -> None:
    table.now += 10
    for step in range(100):
        table.now += 0.005
        table.tabletop.receive(expert, PointAt(page=1, point=(step / 100, 0.5)))
    table.now += 1
    await until(lambda: isinstance(expert.told[-1], Marks) and expert.told[-1].pointer == (0.99, 0.5))

    assert 8 <= len(expert.told) <= 12


async def test_many_marks_are_told_less_often(table: Table, expert: Outlet) -> None:
    for number in range(5):
        stroke = tuple((step / 300, 0.2 + 0.3 * (step % 2)) for step in range(300))
        table.now += 10
        table.tabletop.receive(expert, AddMark(page=1, id=f"m{number}", points=stroke))
    table.now += 10
    expert.take()

    for step in range(100):
        table.now += 0.01
        table.tabletop.receive(expert, PointAt(page=1, point=(step / 100, 0.5)))

    assert len(expert.told) == 2


async def test_who_cannot_take_more_hears_of_the_marks_when_there_is_room_again(table: Table, expert: Outlet) -> None:
    table.now += 0.2
    expert.has_room = False
    table.tabletop.receive(expert, AddMark(page=1, id="m1", points=((0.5, 0.5),)))
    table.see(corners=PLACE + np.float32(0.05))
    meanwhile = expert.take()

    expert.has_room = True
    table.see(corners=PLACE + np.float32(0.05))

    assert meanwhile == []
    assert [type(message).__name__ for message in expert.told] == ["Page", "Marks"]


async def test_even_who_cannot_take_more_hears_of_the_sheet_once_a_second(table: Table, expert: Outlet) -> None:
    expert.has_room = False

    for step in range(24):
        table.see(corners=PLACE + np.float32(0.01 * step))

    assert len(expert.pages) == 3


async def test_marks_go_and_come_with_their_sheet(table: Table, expert: Outlet) -> None:
    table.now += 10
    table.tabletop.receive(expert, AddMark(page=1, id="m1", points=((0.5, 0.5),)))
    for page in (0, 1, 2):
        table.see(page=page, after=1)

    told = [(message.page, len(message.marks)) for message in expert.told if isinstance(message, Marks)]
    assert told == [(1, 1), (0, 0), (1, 1), (2, 0)]


async def test_it_watches_only_while_somebody_looks(table: Table) -> None:
    first, second = Outlet(), Outlet("room")
    names = {task.get_name() for task in asyncio.all_tasks()}
    table.tabletop.joined(first)
    table.tabletop.joined(second)
    table.see()
    table.tabletop.receive(first, SetView(view="page"))
    table.tabletop.receive(first, PointAt(page=1, point=(0.1, 0.1)))
    table.tabletop.receive(first, PointAt(page=1, point=(0.2, 0.1)))
    table.tabletop.left(second)
    watched = {task.get_name() for task in asyncio.all_tasks()}

    table.tabletop.left(first)
    table.tabletop.left(first)
    await asyncio.sleep(0.1)

    assert ("page watch" in names, "page watch" in watched) == (False, True)
    assert "page watch" not in {task.get_name() for task in asyncio.all_tasks()}
    assert (table.tabletop.view.shown, table.tabletop.watch.sighting()) == ("table", (0, None))
    newcomer = Outlet()
    table.tabletop.joined(newcomer)
    assert newcomer.told[1] == Marks(page=0, marks=(), pointer=None)


async def test_there_is_no_hurry_while_only_the_room_looks(table: Table) -> None:
    expert, screen = Outlet(), Outlet("room")

    table.tabletop.joined(screen)
    alone = [table.tabletop.watch.is_alone]
    table.tabletop.joined(expert)
    alone.append(table.tabletop.watch.is_alone)
    table.tabletop.left(expert)
    alone.append(table.tabletop.watch.is_alone)

    assert alone == [True, False, True]
