"""Papers laid, turned, swapped and taken away under a camera, as two viewers of a real agent are told and shown."""

from collections.abc import AsyncIterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from etapalvelu.room.imprint import imprint_of, same_share
from etapalvelu.room.pixels import Bgr
from signaling.document import AddMark, Mark, MarkClear, Marks, Page, PointAt, PointEnd, Refused, SetView
from tests.room.agents import Running
from tests.room.cameras import until
from tests.room.conftest import Watch
from tests.room.service import Service
from tests.room.tables import Quad, lying, paper, table
from tests.room.watcher import Showing

SIZE = (1280, 720)
HERE = lying(560, 360, high=560)
FLAT = np.array([[0, 0], [419, 0], [419, 593], [0, 593]], np.float32)
LETTER, DECISION = paper(1), paper(2)
# Two cores may be busy with other things.
LIMIT = 25.0


class Desk:
    """What the camera sees: a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lay(self, *sheets: tuple[Bgr, Quad]) -> None:
        """These sheets lie there from now on."""
        fresh = self.path.with_name("fresh.png")
        cv2.imwrite(str(fresh), table(*sheets, size=SIZE))
        fresh.replace(self.path)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "desk.png")
    desk.lay((LETTER, HERE))
    return desk


@pytest.fixture
async def viewers(service: Service, watch: Watch, desk: Desk, tmp_path: Path) -> AsyncIterator[tuple[Showing, Showing]]:
    """Expert and screen, who see the letter as sheet 1."""
    running = Running(service, tmp_path / "state", camera=f"file:{desk.path}")
    service.turn_to("s1")
    expert, screen = watch("expert"), watch("room")
    for viewer in (expert, screen):
        await until(lambda one=viewer: bool(one.showings) and told_of(one.showing, page=1, calm=True), LIMIT)  # type: ignore[misc]
    yield expert.showing, screen.showing
    await running.end()


def told_of(showing: Showing, *, page: int, calm: bool | None = None) -> bool:
    """The newest word of the sheet is of this one."""
    return bool(showing.pages) and showing.pages[-1].page == page and calm in (None, showing.pages[-1].calm)


def is_at(told: Page, place: Quad) -> bool:
    return told.corners is not None and bool(np.abs(np.array(told.corners) * SIZE - 0.5 - place).max() < 5)


async def test_a_sheet_keeps_its_number_and_its_marks_until_another_one_lies_there(
    desk: Desk, viewers: tuple[Showing, Showing]
) -> None:
    expert, screen = viewers
    mark = Mark(id="m1", points=((0.2, 0.4), (0.6, 0.4)))
    marked = Marks(page=1, marks=(mark,), pointer=None)
    assert is_at(expert.pages[-1], HERE)

    expert.say(AddMark(page=1, id="m1", points=mark.points))
    await until(lambda: expert.marks[-1] == screen.marks[-1] == marked, LIMIT)
    screen.say(MarkClear())
    expert.say(PointAt(page=1, point=(1.2, 0.4)))
    await until(lambda: bool(screen.others) and bool(expert.others), LIMIT)
    for angle in range(15, 106, 15):
        place = lying(640, 360, angle, high=480)
        desk.lay((LETTER, place))
        await until(lambda there=place: is_at(screen.pages[-1], there), LIMIT)  # type: ignore[misc]
    turned = screen.marks[-1]
    desk.lay()
    await until(lambda: told_of(screen, page=0) and screen.marks[-1] == Marks(page=0, marks=(), pointer=None), LIMIT)
    desk.lay((LETTER, HERE))
    await until(lambda: told_of(screen, page=1, calm=True) and screen.marks[-1] == marked, LIMIT)
    desk.lay((DECISION, HERE))
    await until(lambda: told_of(screen, page=2), LIMIT)
    expert.say(AddMark(page=1, id="late", points=((0.5, 0.5),)))
    await until(lambda: len(expert.others) == 2, LIMIT)

    assert turned == marked
    assert screen.others == [Refused(what="mark_clear", code="not_allowed")]
    assert expert.others == [Refused(what="point", code="outside_page"), Refused(what="mark", code="page_gone")]
    assert screen.marks[-1] == Marks(page=2, marks=(), pointer=None)
    assert list(dict.fromkeys(page.page for page in screen.pages)) == [0, 1, 2]


async def test_the_sheet_alone_is_shown_to_everybody_and_the_table_when_it_is_gone(
    desk: Desk, viewers: tuple[Showing, Showing]
) -> None:
    expert, screen = viewers

    def seen_as_told() -> float:
        """How much what the screen sees inside the corners it was told is the letter."""
        corners = screen.pages[-1].corners
        if corners is None:
            return 0.0
        return same_share(imprint_of(LETTER, FLAT), imprint_of(screen.picture(), np.array(corners, np.float32) * SIZE)) or 0.0

    expert.say(PointAt(page=1, point=(0.25, 0.75)))
    expert.say(SetView(view="page", turn=90))
    await until(lambda: screen.pages[-1].view == "page" and screen.marks[-1].pointer == (0.25, 0.75), LIMIT)
    await until(lambda: seen_as_told() > 0.8, LIMIT)
    corners = np.array(screen.pages[-1].corners)
    expert.say(PointEnd())
    desk.lay()
    await until(lambda: screen.pages[-1].view == "table" and screen.marks[-1].pointer is None, LIMIT)
    desk.lay((LETTER, lying(640, 360, 180, high=600)))
    await until(lambda: screen.pages[-1].view == "page", LIMIT)
    await until(lambda: seen_as_told() > 0.8, LIMIT)
    expert.say(SetView(view="table"))
    await until(lambda: expert.pages[-1].view == "table", LIMIT)

    # Turned by a quarter its first corner stands at the right end of the upper edge, and it fills the picture's height.
    assert np.abs(corners[0] - [0.5 + 0.5 * 2**0.5 * 720 / 1280, 0]).max() < 0.02
    assert np.abs(corners[2] - [0.5 - 0.5 * 2**0.5 * 720 / 1280, 1]).max() < 0.02
    assert {size for size in screen.frames} == {SIZE}


async def test_who_looks_alone_and_leaves_ends_the_watch(
    service: Service, watch: Watch, desk: Desk, viewers: tuple[Showing, Showing]
) -> None:
    expert, screen = viewers
    for showing in (expert, screen):
        await showing.connection.close()
    late = watch("expert2")

    await until(lambda: bool(late.showings) and bool(late.showing.pages), LIMIT)

    assert late.showing.pages[0].page in (0, 1)
    await until(lambda: late.showing.pages[-1].page > 0, LIMIT)
