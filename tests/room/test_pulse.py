from collections.abc import Iterable

import cv2
import numpy as np
import pytest

from etapalvelu.room.letter import Letter
from etapalvelu.room.pixels import Bgr, Jpeg, Picture, Pixels, jpeg
from etapalvelu.room.pulse import Health, Pulse, is_dark, same

RATE = 10


def noisy(seed: int, mean: int = 120) -> Bgr:
    desk = np.full((96, 128, 3), mean, np.int16)
    return np.asarray(np.clip(desk + np.random.default_rng(seed).integers(-3, 4, desk.shape), 0, 255), np.uint8)


def from_driver(picture: Bgr) -> Jpeg:
    return Jpeg(np.frombuffer(jpeg(picture), np.uint8), (picture.shape[1], picture.shape[0]))


def felt(pulse: Pulse, pictures: Iterable[Picture], start: float) -> list[tuple[float, Health]]:
    """Each change of the health, in tenths of a second from the start, as ten pictures a second come."""
    changes: list[tuple[float, Health]] = []
    for number, picture in enumerate(pictures):
        health = pulse.feel(picture, start + number / RATE)
        if not changes or changes[-1][1] != health:
            changes.append((number, health))
    return changes


@pytest.mark.parametrize("kind", [Pixels, from_driver])
def test_the_same_picture_again_and_again_is_frozen_until_one_differs(kind: type[Pixels]) -> None:
    pulse = Pulse(may_repeat=False)
    live = [kind(noisy(seed)) for seed in range(5)]
    stuck = [kind(noisy(4)) for _ in range(20)]

    changes = felt(pulse, [*live, *stuck, kind(noisy(5)), kind(noisy(6))], start=1000)

    # The fourth picture is the first of the alike ones; 1.3 s later it is told.
    assert changes == [(0, "ok"), (4 + 13, "frozen"), (25, "ok")]


def test_a_frozen_camera_is_not_well_merely_because_it_was_opened_anew() -> None:
    pulse = Pulse(may_repeat=False)
    felt(pulse, [Pixels(noisy(1))] * 20, start=0)

    pulse.opened()
    still_stuck = felt(pulse, [Pixels(noisy(2))] * 5, start=10)
    pulse.opened()
    well = felt(pulse, [Pixels(noisy(3)), Pixels(noisy(4))], start=20)

    assert still_stuck == [(0, "frozen")]
    assert well == [(0, "frozen"), (1, "ok")]


def test_time_away_is_not_time_frozen() -> None:
    pulse = Pulse(may_repeat=False)
    felt(pulse, [Pixels(noisy(1))] * 2, start=0)

    pulse.opened()

    assert felt(pulse, [Pixels(noisy(1))] * 2, start=60) == [(0, "ok")]


def test_a_picture_sent_twice_on_a_busy_machine_is_not_frozen() -> None:
    pulse = Pulse(may_repeat=False)

    told = [pulse.feel(Pixels(noisy(number // 3)), number * 2.0) for number in range(12)]

    assert set(told) == {"ok"}


def test_files_may_repeat_themselves() -> None:
    assert felt(Pulse(may_repeat=True), [Pixels(noisy(1))] * 50, start=0) == [(0, "ok")]


@pytest.mark.parametrize("kind", [Pixels, from_driver])
def test_a_covered_lens_is_black_and_soon_well_again(kind: type[Pixels]) -> None:
    pulse = Pulse(may_repeat=False)
    pictures = [*(kind(noisy(seed)) for seed in range(10)), *(kind(noisy(seed, mean=4)) for seed in range(10, 40))]

    covered = felt(pulse, pictures, start=0)
    uncovered = felt(pulse, [kind(noisy(seed)) for seed in range(40, 50)], start=4)

    assert [state for _, state in covered] == ["ok", "black"]
    # Covered at the tenth picture, 0.8 s and up to two looks ago.
    assert 18 <= covered[1][0] <= 24
    assert uncovered[-1][1] == "ok"
    assert uncovered[-1][0] <= 4


def test_black_without_any_noise_is_black_first_of_all() -> None:
    pulse = Pulse(may_repeat=False)

    changes = felt(pulse, [Pixels(np.zeros((96, 128, 3), np.uint8))] * 30, start=0)

    assert [state for _, state in changes] == ["ok", "black"]
    assert pulse.is_frozen


def test_a_dark_room_with_a_sheet_in_it_is_not_black() -> None:
    desk = noisy(1, mean=8)
    desk[20:70, 30:70] = 60

    assert not is_dark(Pixels(desk))
    assert is_dark(Pixels(noisy(1, mean=16)))
    assert not is_dark(Pixels(noisy(1, mean=30)))


def test_what_cannot_be_judged_is_not_dark() -> None:
    assert not is_dark(Jpeg(np.frombuffer(b"damaged", np.uint8), (64, 48)))
    assert not is_dark(Letter(0))


def test_one_bit_of_noise_in_a_thousand_rows_tells_pictures_apart() -> None:
    desk = np.full((1080, 1920, 3), 120, np.uint8)
    other = desk.copy()
    other[4, 7, 1] ^= 1

    assert same(Pixels(desk), Pixels(desk.copy()))
    assert not same(Pixels(desk), Pixels(other))
    assert not same(Pixels(desk), Pixels(desk[:540]))
    assert not same(Pixels(desk), from_driver(desk))


def test_a_look_costs_a_live_picture_less_than_a_millisecond() -> None:
    pulse = Pulse(may_repeat=False)
    desk = np.full((1080, 1920, 3), 120, np.uint8)
    pictures = [Pixels(cv2.add(desk, np.full_like(desk, number))) for number in range(20)]

    ticks = cv2.getTickCount()
    felt(pulse, pictures, start=0)
    took = (cv2.getTickCount() - ticks) / cv2.getTickFrequency()

    assert took / len(pictures) < 0.001
