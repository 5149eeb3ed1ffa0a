"""Simple pictures, looked at eight times a second; the corners found are named anew in each of them, as `find_page` does."""

from collections.abc import Sequence

import numpy as np
import pytest

from etapalvelu.room.follower import CALM_SECONDS, GONE_SECONDS, REMEMBERED_SECONDS, Follower, Found
from etapalvelu.room.imprint import imprint_of
from etapalvelu.room.pixels import Bgr
from tests.room.tables import WIDTH, Quad, bright_rectangle, lying, paper, table

LOOK = 0.125
HERE = lying(240, 135)
LETTER, OTHER, BARE = paper(1), paper(2), paper(3, print_=False)


class Table:
    """A follower, the clock, and what lies there."""

    def __init__(self, upright: int = 0) -> None:
        self.follower = Follower(WIDTH)
        self.now = 100.0
        self._upright = upright

    def show(self, sheet: Bgr | None, place: Quad = HERE, seconds: float = LOOK) -> Sequence[int]:
        """The sheet, or none, lies there for that long; the number told at each look."""
        picture = table() if sheet is None else table((sheet, place))
        corners = bright_rectangle(picture)
        found = (
            corners
            if corners is None
            else Found(corners=corners, imprint=lambda named: imprint_of(picture, named), upright=lambda _: self._upright)
        )
        pages = []
        for _ in range(round(seconds / LOOK)):
            self.now += LOOK
            self.follower.see(self.now, found)
            pages.append(self.follower.page)
        return pages

    def is_at(self, place: Quad) -> bool:
        """The corners are those of `place`, each under its name."""
        assert self.follower.corners is not None
        return bool(np.abs(self.follower.corners - place).max() < 4)


@pytest.fixture
def desk() -> Table:
    """The letter has lain there for a while as sheet 1."""
    desk = Table()
    desk.show(LETTER, seconds=2)
    return desk


def test_a_sheet_is_believed_after_three_looks_and_gone_after_a_second() -> None:
    desk = Table()

    comes = desk.show(LETTER, seconds=1)
    goes = desk.show(None, seconds=2)

    assert (comes, goes) == ([0, 0, *[1] * 6], [*[1] * 8, *[0] * 8])
    assert (desk.follower.corners, desk.follower.is_calm(desk.now)) == (None, False)


def test_what_is_seen_for_a_moment_is_no_sheet() -> None:
    desk = Table()

    pages = [page for _ in range(5) for page in (*desk.show(LETTER, seconds=2 * LOOK), *desk.show(None, seconds=1.25))]

    assert set(pages) == {0}


def test_a_sheet_that_is_being_laid_down_is_no_sheet_yet() -> None:
    desk = Table()

    pages = [desk.show(LETTER, lying(140 + 25 * step, 135))[0] for step in range(8)]

    assert set(pages) == {0}


def test_a_hand_that_passes_does_not_take_the_sheet_away(desk: Table) -> None:
    pages = [*desk.show(None, seconds=GONE_SECONDS - LOOK), *desk.show(LETTER, seconds=1)]

    assert set(pages) == {1}
    assert desk.is_at(HERE)


def test_a_sheet_turned_all_around_keeps_its_corners_names(desk: Table) -> None:
    desk.show(LETTER, lying(240, 135, 5), seconds=2 * LOOK)

    for angle in range(10, 365, 5):
        place = lying(240, 135, angle)
        assert desk.show(LETTER, place) == [1]
        assert desk.is_at(place), angle


def test_a_sheet_moved_over_the_table_stays_the_same(desk: Table) -> None:
    places = [lying(240 + 12 * step, 135 - step, step) for step in range(-10, 11)]

    pages = [desk.show(LETTER, place)[0] for place in (*places, *reversed(places))]

    assert set(pages) == {1}


def test_a_sheet_snatched_to_another_place_is_known_by_its_print(desk: Table) -> None:
    there = lying(360, 135, 180)

    pages = desk.show(LETTER, there, seconds=1)

    assert set(pages) == {1}
    assert desk.is_at(there)


def test_another_sheet_elsewhere_has_the_next_number(desk: Table) -> None:
    pages = desk.show(OTHER, lying(370, 135), seconds=1)

    assert list(dict.fromkeys(pages)) == [1, 2]


def test_another_sheet_laid_exactly_on_the_first_has_the_next_number_soon(desk: Table) -> None:
    pages = desk.show(OTHER, seconds=2)

    assert list(dict.fromkeys(pages)) == [1, 2]
    assert pages[-5:] == [2] * 5


def test_the_bare_back_of_a_sheet_is_another_sheet(desk: Table) -> None:
    assert desk.show(BARE, seconds=2)[-1] == 2


def test_a_hand_resting_on_half_of_the_sheet_does_not_make_it_another(desk: Table) -> None:
    covered = LETTER.copy()
    covered[:280] = 190

    assert set(desk.show(covered, seconds=3)) == {1}
    assert desk.follower.is_covered
    desk.show(LETTER, seconds=1)
    assert not desk.follower.is_covered


def test_a_finger_on_the_sheet_hides_nothing_worth_a_word(desk: Table) -> None:
    pointed_at = LETTER.copy()
    pointed_at[200:330, 150:200] = 190

    desk.show(pointed_at, seconds=2)

    assert not desk.follower.is_covered


def test_the_same_sheet_turned_while_nobody_could_see_is_the_same_with_the_right_names(desk: Table) -> None:
    desk.show(LETTER, lying(240, 135, 180), seconds=3)

    assert (desk.follower.page, desk.is_at(lying(240, 135, 180))) == (1, True)


@pytest.mark.parametrize(("away", "page"), [(REMEMBERED_SECONDS - 2, 1), (REMEMBERED_SECONDS + 2, 2)])
def test_a_sheet_laid_back_soon_has_its_old_number_and_names(desk: Table, away: float, page: int) -> None:
    back = lying(200, 130, 90)
    desk.show(None, seconds=away)

    desk.show(LETTER, back, seconds=1)

    assert desk.follower.page == page
    if page == 1:
        assert desk.is_at(back)


def test_another_sheet_laid_there_instead_has_a_new_number(desk: Table) -> None:
    desk.show(None, seconds=2)

    assert desk.show(OTHER, seconds=1)[-1] == 2


def test_of_bare_sheets_one_laid_back_is_a_new_one() -> None:
    desk = Table()
    desk.show(BARE, seconds=2)
    desk.show(None, seconds=2)

    assert desk.show(BARE, seconds=1)[-1] == 2


@pytest.mark.parametrize("turns", range(4))
def test_the_first_corner_is_the_upper_left_of_the_print(turns: int) -> None:
    desk = Table(upright=turns)

    desk.show(LETTER, seconds=1)

    assert desk.is_at(np.roll(HERE, turns, axis=0))


def test_a_sheet_is_calm_half_a_second_after_it_stopped(desk: Table) -> None:
    for step in range(1, 9):
        desk.show(LETTER, lying(240 + 10 * step, 135))
    moving = desk.follower.is_calm(desk.now)

    lain = 0.0
    while not desk.follower.is_calm(desk.now):
        desk.show(LETTER, lying(320, 135))
        lain += LOOK

    assert moving is False
    assert CALM_SECONDS <= lain <= CALM_SECONDS + 2 * LOOK


def test_a_sheet_that_trembles_is_calm_and_its_corners_do_not(desk: Table) -> None:
    before = desk.follower.corners
    assert before is not None

    for step in range(16):
        desk.show(LETTER, lying(240 + 0.4 * (step % 2), 135))
        assert desk.follower.is_calm(desk.now)

    assert desk.follower.corners is not None
    assert np.abs(desk.follower.corners - before).max() < 1.5


def test_one_wrong_look_moves_nothing(desk: Table) -> None:
    desk.show(LETTER, lying(240, 135, 6))
    after_one = desk.is_at(HERE)
    desk.show(LETTER, seconds=LOOK)
    calm = desk.follower.is_calm(desk.now)
    desk.show(LETTER, lying(240, 135, 6), seconds=2 * LOOK)

    assert (after_one, calm, desk.is_at(lying(240, 135, 6))) == (True, True, True)


def test_numbers_go_on_where_another_follower_left_off() -> None:
    follower = Follower(WIDTH, page=7)
    picture = table((LETTER, HERE))
    corners = bright_rectangle(picture)
    assert corners is not None
    found = Found(corners=corners, imprint=lambda named: imprint_of(picture, named), upright=lambda _: 0)

    for look in range(3):
        follower.see(look * LOOK, found)

    assert (follower.page, follower.last_page) == (8, 8)
