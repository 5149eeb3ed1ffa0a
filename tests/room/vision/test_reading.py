"""What all of it is for: the page can be read."""

import numpy as np
import pytest

from bench.closeup import make_closeup
from bench.read_page import character_error, distance
from bench.sheets import make_sheet
from etapalvelu.room.vision.flat import make_page, straightened


@pytest.mark.parametrize(
    ("one", "other", "steps"),
    [("", "", 0), ("äiti", "", 4), ("", "isä", 3), ("sama", "sama", 0), ("kissa", "kisat", 2), ("abc", "bcd", 2)],
)
def test_the_distance_of_two_texts(one: str, other: str, steps: int) -> None:
    assert distance(one, other) == steps


def test_a_page_in_shadow_is_read_after_it_was_made_flat() -> None:
    sheet = make_sheet(33, "note", 200)
    random = np.random.default_rng(5)
    closeup = make_closeup(random, sheet, (1920, 1080)).in_shadow(random)
    frame = closeup.taken(random)

    flat, plain = (character_error(how(frame, closeup.corners), sheet) for how in (make_page, straightened))

    assert flat <= 0.01
    assert flat < plain
