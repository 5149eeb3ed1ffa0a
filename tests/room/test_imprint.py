import numpy as np
import pytest

from etapalvelu.room.imprint import imprint_of, same_share, same_turned
from tests.room.tables import lying, paper, table

SIZE = (960, 540)
HERE = lying(480, 270, high=420)


def test_a_sheet_is_known_again_where_it_was_moved_and_turned_and_in_other_light() -> None:
    there = lying(300, 260, 35, high=400)
    before = imprint_of(table((paper(1), HERE), size=SIZE), HERE)
    darker = (table((paper(1), there), size=SIZE) * np.linspace(0.4, 0.9, SIZE[0])[None, :, None]).astype(np.uint8)

    share = same_share(before, imprint_of(darker, there))

    assert share is not None
    assert share > 0.8


@pytest.mark.parametrize("turns", range(4))
def test_a_turned_sheet_tells_how_far_it_was_turned(turns: int) -> None:
    picture = table((paper(1), HERE), size=SIZE)
    rolled = np.roll(HERE, turns, axis=0)

    same = same_turned(imprint_of(picture, HERE), imprint_of(picture, rolled))

    assert same is not None
    share, back = same
    assert share > 0.9
    assert np.array_equal(np.roll(rolled, -back, axis=0), HERE)


def test_another_sheet_is_another_one() -> None:
    one, other = (imprint_of(table((paper(seed), HERE), size=SIZE), HERE) for seed in (1, 2))

    same = same_turned(one, other)

    assert same is not None
    assert same[0] < 0.4


def test_of_bare_paper_nothing_can_be_said_but_print_differs_from_it() -> None:
    bare = imprint_of(table((paper(1, print_=False), HERE), size=SIZE), HERE)
    printed = imprint_of(table((paper(1), HERE), size=SIZE), HERE)

    assert (same_share(bare, bare), same_turned(bare, bare)) == (None, None)
    assert same_share(bare, printed) == 0.0
