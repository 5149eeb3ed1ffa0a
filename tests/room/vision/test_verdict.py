from typing import Any

import cv2
import numpy as np
import pytest

from bench.sheets import make_sheet
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.vision.verdict import Verdict, verdict
from tests.room.vision.scenes import Corners, above, lit, pinhole, seen

SIZE = (1920, 1080)
EVEN = np.full((1080, 1920), 0.9, np.float32)


def letter(share: float = 0.96, **placing: Any) -> tuple[Bgr, Corners]:
    picture, corners = above(make_sheet(4, "letter", 150), SIZE, share=share, **placing)
    return lit(picture, EVEN), corners


def told(found: Verdict) -> tuple[str, str | None]:
    return found.code, found.hint


def test_without_corners_there_is_no_page() -> None:
    assert verdict(np.zeros((54, 96, 3), np.uint8), None) == Verdict(code="no_page", hint="no_page")


def test_a_page_that_can_be_read_needs_nothing() -> None:
    picture, corners = letter()

    found = verdict(picture, corners)

    assert told(found) == ("readable", None)
    assert found.findings == ()
    assert found.whole
    assert found.ppi == round(0.96 * 1080 / (297 / 25.4))
    assert found.taken_for == "a4"
    assert found.smallest_text_mm == pytest.approx(1.8, abs=0.35)
    assert found.tilt_degrees == pytest.approx(0, abs=2)
    assert found.turn_degrees == 0
    assert found.glare_share == 0
    assert found.light == pytest.approx(0.88, abs=0.04)


def test_a_card_tells_its_own_scale_and_a_receipt_tells_none() -> None:
    card, receipt = (above(make_sheet(4, kind, 150), SIZE, share=share) for kind, share in (("card", 0.5), ("receipt", 0.9)))

    known, unknown = (verdict(lit(picture, EVEN), corners) for picture, corners in (card, receipt))

    assert (known.taken_for, known.ppi) == ("id_card", round(0.5 * 1080 / (53.98 / 25.4)))
    assert (unknown.taken_for, unknown.ppi, unknown.smallest_text_mm) == ("unknown", None, None)
    assert told(unknown) == ("readable", None)


@pytest.mark.parametrize(("shift", "hint"), [((0, 60), "turn"), ((0, -60), "turn"), ((800, 0), "turn")])
def test_an_upright_sheet_that_does_not_fit_is_to_be_laid_across(shift: tuple[float, float], hint: str) -> None:
    picture, corners = letter(share=0.99, shift=shift)

    assert told(verdict(picture, corners)) == ("cut", hint)


def test_a_smaller_sheet_that_is_cut_is_to_be_moved_in() -> None:
    picture, corners = above(make_sheet(4, "slip", 150), SIZE, share=0.6, shift=(760, 0))

    found = verdict(lit(picture, EVEN), corners)

    assert told(found) == ("cut", "cut")
    assert not found.whole


def test_a_sheet_too_far_away_is_to_be_brought_nearer_or_laid_across() -> None:
    near, far = (verdict(*above(make_sheet(4, "letter", 150), (1280, 720), share=share)) for share in (0.95, 0.5))

    assert told(near) == ("too_far", "turn")
    assert told(far) == ("too_far", "too_far")


def test_a_small_picture_of_a_large_one_is_judged_by_the_large_one() -> None:
    picture, corners = above(make_sheet(4, "letter", 150), (960, 540), share=0.96)

    small, full = verdict(picture, corners), verdict(picture, corners, detail=4.0)

    assert small.code == "too_far"
    assert full.ppi == pytest.approx(4 * (small.ppi or 0), abs=2)
    assert full.code == "readable"


def test_a_strip_of_unknown_size_is_too_far_when_it_is_small_in_the_picture() -> None:
    picture, corners = above(make_sheet(4, "receipt", 150), SIZE, share=0.3)

    assert told(verdict(lit(picture, EVEN), corners)) == ("too_far", "too_far")


@pytest.mark.parametrize("kind", ["letter", "receipt"])
def test_a_page_out_of_focus_is_told(kind: str) -> None:
    picture, corners = above(make_sheet(4, kind, 200), SIZE)
    soft = np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), np.uint8)

    assert told(verdict(lit(soft, EVEN), corners)) == ("blurred", "blurred")


def test_a_dark_page_is_told() -> None:
    picture, corners = letter()

    found = verdict(lit(picture, np.full_like(EVEN, 0.18)), corners)

    assert told(found) == ("dark", "dark")
    assert found.light == pytest.approx(0.17, abs=0.04)


def test_a_lamp_on_the_page_is_told_with_its_share() -> None:
    picture, corners = letter()
    down, across = np.mgrid[0:1080, 0:1920].astype(np.float32)
    spot = 1 + 3 * np.exp(-((across - 960) ** 2 + (down - 500) ** 2) / (2 * 60**2))

    found = verdict(lit(picture, spot.astype(np.float32)), corners)

    assert told(found) == ("glare", "glare")
    assert found.glare_share == pytest.approx(0.045, abs=0.03)


def test_a_page_burnt_all_over_has_no_glare() -> None:
    picture, corners = letter()

    assert verdict(lit(picture, np.full_like(EVEN, 1.5)), corners).glare_share == 0


def test_a_sheet_held_askew_is_told() -> None:
    sheet = make_sheet(4, "letter", 200)
    corners = pinhole(sheet.size_mm, (3840, 2160), tilt=38, towards=0, turn=90, focal=1.1)

    found = verdict(*seen(sheet, (3840, 2160), corners))

    assert told(found) == ("tilted", "tilted")
    assert found.tilt_degrees == pytest.approx(38, abs=5)


def test_how_far_a_sheet_is_turned_is_told_either_way() -> None:
    sheet = make_sheet(4, "letter", 100)

    turned = [
        verdict(*seen(sheet, SIZE, pinhole(sheet.size_mm, SIZE, tilt=0, towards=0, turn=turn, focal=1.5))).turn_degrees
        for turn in (12, -12, 78, 102, 168)
    ]

    assert turned == pytest.approx([12] * 5, abs=0.2)


def test_everything_wrong_is_listed_worst_first() -> None:
    picture, corners = letter(share=0.5, shift=(800, 0))

    found = verdict(lit(picture, np.full_like(EVEN, 0.15)), corners)

    assert [finding.code for finding in found.findings] == ["cut", "dark", "too_far"]
    assert all(finding.limit >= 0 for finding in found.findings)
