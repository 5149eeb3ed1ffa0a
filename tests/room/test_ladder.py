from etapalvelu.room.ladder import FIRST_REST_SECONDS, LAST_REST_SECONDS, STEPS, UP_SECONDS, Ladder
from etapalvelu.room.rate import FLOOR_BITS_PER_SECOND


def after(ladder: Ladder, rate: float, seconds: range, *, frame_bits: float = 0.0, choked: bool = False) -> list[int]:
    frames = []
    for second in seconds:
        ladder.feed(rate, frame_bits=frame_bits, is_choked=choked, now=second)
        frames.append(ladder.step.frames_per_second)
    return frames


def test_it_begins_with_all_frames() -> None:
    assert (Ladder().step.name, Ladder().step.frames_per_second) == ("full", 15)


def test_frames_go_first_and_each_step_has_its_name() -> None:
    seen = []
    for rate in (349_999, 199_999, 109_999, FLOOR_BITS_PER_SECOND):
        ladder = Ladder()
        after(ladder, rate, range(1))
        seen.append((ladder.step.name, ladder.step.frames_per_second))

    assert seen == [("fewer_frames", 8), ("few_frames", 4), ("few_frames", 2), ("few_frames", 2)]


def test_down_at_once_and_up_slowly() -> None:
    ladder = Ladder()

    down = after(ladder, 80_000, range(1))
    up = after(ladder, 600_000, range(1, 15))

    assert down == [2]
    assert up == [2, 2, 2, 4, 4, 4, 4, 8, 8, 8, 8, 15, 15, 15]
    assert UP_SECONDS == 3


def test_a_rate_that_is_only_just_enough_is_no_reason_to_climb() -> None:
    ladder = Ladder()
    after(ladder, 199_000, range(1))

    assert set(after(ladder, 1.2 * STEPS[1].needs, range(1, 30))) == {4}


def test_a_climb_waits_for_a_rate_that_stays() -> None:
    ladder = Ladder()
    after(ladder, 340_000, range(1))

    seen = after(ladder, 600_000, range(1, 3)) + after(ladder, 340_000, range(3, 4)) + after(ladder, 600_000, range(4, 7))

    assert set(seen) == {8}


def test_pictures_that_take_much_are_fewer() -> None:
    ladder = Ladder()

    moving = after(ladder, 600_000, range(1), frame_bits=100_000)
    at_rest = after(ladder, 600_000, range(1, 9), frame_bits=5_000)
    mush = after(Ladder(), 600_000, range(1), frame_bits=10e6)

    assert moving == [4]
    assert at_rest == [4, 4, 4, 8, 8, 8, 8, 15]
    assert mush == [2]


def test_a_choked_line_gets_stills_only_and_is_tried_again_ever_more_seldom() -> None:
    ladder = Ladder()
    rests = []
    now = 0.0
    for _ in range(5):
        ladder.feed(FLOOR_BITS_PER_SECOND, frame_bits=0, is_choked=True, now=now)
        assert (ladder.step.name, ladder.step.frames_per_second) == ("stills_only", 0)
        began = now
        while ladder.step.name == "stills_only":
            now += 1
            ladder.feed(FLOOR_BITS_PER_SECOND, frame_bits=0, is_choked=False, now=now)
        assert (ladder.step.name, ladder.step.frames_per_second) == ("few_frames", 2)
        rests.append(now - began)
        now += 5

    assert rests == [FIRST_REST_SECONDS, 20, 40, LAST_REST_SECONDS, LAST_REST_SECONDS]

    now += 1000
    ladder.feed(FLOOR_BITS_PER_SECOND, frame_bits=0, is_choked=True, now=now)
    ladder.feed(FLOOR_BITS_PER_SECOND, frame_bits=0, is_choked=False, now=now + FIRST_REST_SECONDS)

    assert ladder.step.name == "few_frames"
