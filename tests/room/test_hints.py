import itertools
from collections.abc import Collection

import pytest

from etapalvelu.room.hints import APPEARS_AFTER_SECONDS, FORGIVEN_SECONDS, ORDER, STAYS_SECONDS, Hints

LOOK = 0.125


def seen(hints: Hints, troubles: Collection[str], start: float, seconds: float, *, is_moving: bool = False) -> list[str | None]:
    """What stands on the screen at each look of that time."""
    return [hints.see(troubles, start + look * LOOK, is_moving=is_moving) for look in range(round(seconds / LOOK))]


def test_a_trouble_is_told_once_it_has_lasted() -> None:
    hints = Hints()

    said = [hints.see({"glare"}, now) for now in (0, APPEARS_AFTER_SECONDS - 0.01, APPEARS_AFTER_SECONDS)]

    assert (said, hints.hint) == ([None, None, "glare"], "glare")


def test_a_trouble_that_comes_and_goes_is_never_told() -> None:
    hints = Hints()

    said = [hint for second in range(8) for hint in (*seen(hints, {"cut"}, second, 0.4), *seen(hints, (), second + 0.4, 0.6))]

    assert set(said) == {None}


def test_a_hint_stays_long_enough_to_be_read_and_goes_when_all_is_well() -> None:
    hints = Hints()
    seen(hints, {"glare"}, 0, 1)

    said = seen(hints, (), 1, STAYS_SECONDS + 1)

    shown = sum(hint == "glare" for hint in said) * LOOK
    assert STAYS_SECONDS - 0.5 <= shown <= STAYS_SECONDS
    assert said[-1] is None


def test_a_trouble_not_seen_for_a_moment_still_stands() -> None:
    hints = Hints()
    seen(hints, {"glare"}, 0, 4)

    said = seen(hints, (), 4, FORGIVEN_SECONDS) + seen(hints, {"glare"}, 4 + FORGIVEN_SECONDS, 1)

    assert set(said) == {"glare"}


def test_one_hint_at_a_time_and_the_most_important_first() -> None:
    hints = Hints()

    said = seen(hints, {"blurred", "glare", "cut"}, 0, 3)

    assert [hint for hint in dict.fromkeys(said) if hint] == ["cut"]


def test_the_next_trouble_follows_when_the_first_is_mended() -> None:
    hints = Hints()
    seen(hints, {"glare", "cut"}, 0, 3)

    said = seen(hints, {"glare"}, 3, 2)

    assert list(dict.fromkeys(said)) == ["cut", "glare"]


def test_nothing_changes_faster_than_it_can_be_read() -> None:
    hints = Hints()
    troubles = ["glare", "cut", "dark", "tilted", "no_page", "blurred"]

    said = [hint for turn in range(30) for hint in seen(hints, {troubles[turn % 6]}, turn * 0.9, 0.9)]

    changes = [look * LOOK for look in range(1, len(said)) if said[look] != said[look - 1]]
    assert len(changes) > 5
    assert min(later - earlier for earlier, later in itertools.pairwise(changes)) >= STAYS_SECONDS - LOOK


def test_whoever_moves_the_sheet_is_told_nothing_new() -> None:
    hints = Hints()

    moving = seen(hints, {"glare"}, 0, 3, is_moving=True)
    then = seen(hints, {"glare"}, 3, 1)

    assert (set(moving), then[0]) == ({None}, "glare")


def test_a_hint_goes_while_the_sheet_is_moved_when_its_trouble_is_over() -> None:
    hints = Hints()
    seen(hints, {"glare"}, 0, 3)

    still_there = seen(hints, {"glare", "cut"}, 3, 2, is_moving=True)
    mended = seen(hints, {"cut"}, 5, 1, is_moving=True)

    assert (set(still_there), mended[-1]) == ({"glare"}, None)


@pytest.mark.parametrize("code", [*ORDER, "something_new"])
def test_every_trouble_can_be_told_those_not_known_too(code: str) -> None:
    hints = Hints()

    assert seen(hints, {code}, 0, 1)[-1] == code


def test_a_trouble_not_known_comes_last() -> None:
    hints = Hints()

    assert seen(hints, {"a_new_one", ORDER[-1]}, 0, 1)[-1] == ORDER[-1]
