import numpy as np
import pytest

from etapalvelu.room.pixels import Bgr
from etapalvelu.room.seeker import (
    CHECK_SECONDS,
    RECHECK_SECONDS,
    SHAKY_SECONDS,
    SHAKY_TIMES,
    UNCHANGED_EMPTY_SECONDS,
    UNCHANGED_FOUND_SECONDS,
    Seeker,
)
from tests.room.tables import Quad, lying, paper, table

LOOK = 0.125
HERE, THERE = lying(140, 135), lying(350, 135)
EMPTY = table()
ONE = table((paper(1), HERE))
BOTH = table((paper(1), HERE), (paper(2), THERE))


class Finder:
    """Follows anything, and finds what it is told to; keeps what it was asked."""

    def __init__(self) -> None:
        self.finds: Quad | None = None
        self.follows = True
        self.asked: list[str] = []

    def __call__(self, picture: Bgr, near: Quad | None) -> Quad | None:
        self.asked.append("search" if near is None else "follow")
        if near is None:
            return self.finds
        return near if self.follows else None

    def take(self) -> list[str]:
        asked, self.asked = self.asked, []
        return asked


@pytest.fixture
def finder() -> Finder:
    return Finder()


def test_a_sheet_is_searched_for_once_and_then_followed(finder: Finder) -> None:
    seeker = Seeker(finder)
    finder.finds = HERE

    found = [seeker.find(ONE, look) for look in (0.0, 1.0, 1.9)]

    assert all(corners is HERE for corners in found)
    assert finder.take() == ["search", "follow", "follow"]


def test_a_sheet_that_cannot_be_followed_is_searched_for_in_the_same_picture(finder: Finder) -> None:
    seeker = Seeker(finder)
    finder.finds = HERE
    seeker.find(ONE, 0)
    finder.finds, finder.follows = THERE, False

    assert seeker.find(BOTH, 1) is THERE
    assert finder.take() == ["search", "follow", "search"]


def test_a_table_on_which_nothing_changes_is_searched_seldom(finder: Finder) -> None:
    seeker = Seeker(finder)
    seeker.find(EMPTY, 0)
    for look in range(8):
        seeker.find(EMPTY, look * LOOK)
    finder.take()

    for look in range(8, 8 + round(4 * UNCHANGED_EMPTY_SECONDS / LOOK)):
        assert seeker.find(EMPTY, look * LOOK) is None

    assert finder.take() == ["search"] * 4


def test_a_change_on_the_table_is_looked_at_at_once(finder: Finder) -> None:
    seeker = Seeker(finder)
    for look in range(8):
        seeker.find(EMPTY, look * LOOK)
    finder.take()
    finder.finds = HERE

    assert seeker.find(ONE, 8 * LOOK) is HERE


def test_a_sheet_on_which_nothing_changes_is_followed_now_and_then(finder: Finder) -> None:
    seeker = Seeker(finder)
    finder.finds = HERE
    seeker.find(ONE, 0)
    finder.take()

    for look in range(1, 12):
        assert seeker.find(ONE if look % 2 else BOTH, look * LOOK) is HERE

    # A change elsewhere on the table does not matter.
    assert finder.take() == ["follow"] * 3


def test_a_change_on_the_sheet_is_followed_at_once(finder: Finder) -> None:
    seeker = Seeker(finder)
    finder.finds = HERE
    seeker.find(ONE, 0)
    finder.take()
    seeker.find(ONE, LOOK)

    seeker.find(table((paper(1), HERE + np.float32(6))), 2 * LOOK)

    assert finder.take() == ["follow", "follow"]


def test_now_and_then_the_whole_picture_is_searched_and_an_agreeing_answer_changes_nothing(finder: Finder) -> None:
    seeker = Seeker(finder)
    finder.finds = HERE
    seeker.find(ONE, 0)
    finder.finds = HERE + np.float32(5)

    found = [seeker.find(ONE, at) for at in (1.0, CHECK_SECONDS, CHECK_SECONDS + 0.5)]

    assert all(corners is HERE for corners in found)
    assert finder.take() == ["search", "follow", "follow", "search", "follow"]


def test_what_a_search_finds_twice_instead_of_the_sheet_is_the_sheet_from_then_on(finder: Finder) -> None:
    seeker = Seeker(finder)
    finder.finds = HERE
    seeker.find(BOTH, 0)
    finder.finds = THERE

    found = [seeker.find(BOTH, CHECK_SECONDS + step * RECHECK_SECONDS) for step in range(3)]

    assert [corners is THERE for corners in found] == [False, True, True]


def test_a_search_that_says_something_else_each_time_is_not_believed(finder: Finder) -> None:
    seeker = Seeker(finder)
    finder.finds = HERE
    seeker.find(BOTH, 0)

    for step in range(6):
        finder.finds = lying(330 + 15 * (step % 3), 135, 30 * step)
        assert seeker.find(BOTH, CHECK_SECONDS + step * RECHECK_SECONDS) is HERE


def test_after_a_time_without_pictures_the_sheet_is_searched_for(finder: Finder) -> None:
    seeker = Seeker(finder)
    finder.finds = HERE
    seeker.find(ONE, 0)
    finder.take()

    seeker.forget()
    seeker.find(ONE, LOOK)

    assert finder.take() == ["search"]


@pytest.mark.parametrize(("ground", "is_shaky"), [(228, True), (70, False)])
def test_a_white_sheet_lost_again_and_again_on_a_white_table_is_shaky(finder: Finder, ground: int, is_shaky: bool) -> None:
    seeker, picture = Seeker(finder), table((paper(1), HERE), ground=ground)
    for second in range(SHAKY_TIMES):
        assert not seeker.is_shaky(second)
        finder.finds, finder.follows = HERE, True
        seeker.find(picture, second)
        finder.finds, finder.follows = None, False
        seeker.find(picture, second + UNCHANGED_FOUND_SECONDS)
        seeker.forget()

    assert seeker.is_shaky(SHAKY_TIMES) is is_shaky
    assert not seeker.is_shaky(SHAKY_TIMES + SHAKY_SECONDS + 1)


def test_a_sheet_that_fills_the_picture_or_lies_beside_it_has_no_table_around_it_to_be_like(finder: Finder) -> None:
    seeker = Seeker(finder)
    whole = np.array([[-20, -20], [500, -20], [500, 290], [-20, 290]], np.float32)
    for second in range(SHAKY_TIMES):
        finder.finds, finder.follows = whole, True
        seeker.find(ONE, second)
        finder.finds, finder.follows = None, False
        seeker.find(ONE, second + UNCHANGED_FOUND_SECONDS)
        seeker.forget()

    assert not seeker.is_shaky(SHAKY_TIMES)
