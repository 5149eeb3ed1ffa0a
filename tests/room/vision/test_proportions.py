import numpy as np
import pytest

from etapalvelu.room.vision.proportions import A_SERIES, ID_CARD, proportions
from tests.room.vision.scenes import pinhole

SIZE = (1920, 1080)


@pytest.mark.parametrize("focal", [0.75, 1.1, 2.0])
@pytest.mark.parametrize("turn", [0, 33, 90])
@pytest.mark.parametrize(("tilt", "towards"), [(0, 0), (8, 0), (8, 90), (25, 40)])
def test_a_sheet_is_known_by_its_proportions_however_it_lies(focal: float, turn: float, tilt: float, towards: float) -> None:
    upright = pinhole((210, 297), SIZE, tilt=tilt, towards=towards, turn=turn, focal=focal)
    across = pinhole((85.6, 53.98), SIZE, tilt=tilt, towards=towards, turn=turn, focal=focal)

    sheet, card = proportions(upright, SIZE), proportions(across, SIZE)

    assert (sheet.format, sheet.ratio) == (A_SERIES, A_SERIES)
    assert (card.format, card.ratio) == (ID_CARD, 1 / ID_CARD)


@pytest.mark.parametrize("tilt", [0, 10, 30])
def test_the_angle_to_the_camera_is_measured(tilt: float) -> None:
    corners = pinhole((210, 297), SIZE, tilt=tilt, towards=20, turn=10, focal=1.1)

    assert proportions(corners, SIZE).tilt == pytest.approx(tilt, abs=3)


@pytest.mark.parametrize("size_mm", [(80, 200), (57.5, 110), (215.9, 279.4), (200, 200)])
def test_other_proportions_stay_what_they_are(size_mm: tuple[float, float]) -> None:
    corners = pinhole(size_mm, SIZE, tilt=6, towards=70, turn=-20, focal=1.2)

    measured = proportions(corners, SIZE)

    assert measured.format is None
    assert measured.ratio == pytest.approx(size_mm[1] / size_mm[0], rel=0.03)


def test_corners_that_no_camera_can_see_still_have_proportions() -> None:
    crooked = np.array([[400, 100], [1500, 300], [1300, 1000], [300, 700]], np.float32)

    measured = proportions(crooked, SIZE)

    assert 0.3 < measured.ratio < 3
    assert 0 <= measured.tilt <= 90
