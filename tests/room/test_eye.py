from dataclasses import dataclass

import cv2
import numpy as np
import pytest

from etapalvelu.room.eye import NO_PAGE_SECONDS, Eye, Sighting, Verdict, Vision, scaled
from etapalvelu.room.hints import APPEARS_AFTER_SECONDS
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.seeker import SHAKY_TIMES
from tests.room.tables import HEIGHT, WIDTH, Quad, block_turn, bright_rectangle, lying, paper, table

LOOK = 0.125
HERE = lying(240, 135)
EMPTY, LETTER = table(), table((paper(1), HERE))


@dataclass
class Judgement:
    hint: str | None = None
    ppi: int | None = 60


class Sight:
    """A vision whose verdict a test may change; keeps what was judged."""

    def __init__(self) -> None:
        self.verdict = Judgement()
        self.judged: list[tuple[tuple[int, int], Quad, float]] = []
        self.vision = Vision(find_page=bright_rectangle, verdict=self._judge, straightened=_straight, orientation=block_turn)

    def _judge(self, picture: Bgr, corners: Quad, detail: float) -> Verdict:
        self.judged.append(((picture.shape[1], picture.shape[0]), corners, detail))
        return self.verdict


def _straight(picture: Bgr, corners: Quad) -> Bgr:
    wide, high = (round(float(np.linalg.norm(corners[corner] - corners[0]))) for corner in (1, 3))
    edge = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    return np.asarray(cv2.warpPerspective(picture, cv2.getPerspectiveTransform(corners, edge), (wide, high)), np.uint8)


class Looking:
    def __init__(self, sight: Sight) -> None:
        self.eye = Eye(sight.vision)
        self.now = 50.0

    def at(self, picture: Bgr, seconds: float = LOOK, full_width: int | None = None) -> list[Sighting]:
        sightings = []
        for _ in range(round(seconds / LOOK)):
            self.now += LOOK
            sightings.append(self.eye.look(picture, self.now, full_width=full_width or picture.shape[1]))
        return sightings


@pytest.fixture
def sight() -> Sight:
    return Sight()


@pytest.fixture
def looking(sight: Sight) -> Looking:
    return Looking(sight)


def test_a_sheet_is_told_with_its_place_its_calm_and_its_resolution(looking: Looking) -> None:
    first, *_, last = looking.at(LETTER, 1.5)

    assert first == Sighting(at=50 + LOOK)
    assert (last.page, last.is_calm, last.hint, last.ppi) == (1, True, None, 60)
    assert last.corners is not None
    assert np.abs(last.corners * [WIDTH, HEIGHT] - HERE - 0.5).max() < 2


def test_large_pictures_are_searched_small_and_judged_whole(looking: Looking, sight: Sight) -> None:
    large = np.asarray(cv2.resize(LETTER, (4 * WIDTH, 4 * HEIGHT), interpolation=cv2.INTER_NEAREST), np.uint8)

    *_, last = looking.at(large, 1.5, full_width=16 * WIDTH)

    size, judged, detail = sight.judged[-1]
    assert last.corners is not None
    assert np.abs(last.corners * [WIDTH, HEIGHT] - HERE - 0.5).max() < 2
    assert (size, detail) == ((4 * WIDTH, 4 * HEIGHT), 4.0)
    assert np.abs(judged - scaled(HERE, 4)).max() < 8


@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_the_first_corner_is_where_the_text_begins(looking: Looking, angle: int) -> None:
    place = lying(240, 135, angle)

    *_, last = looking.at(table((paper(1), place)), 1)

    assert last.corners is not None
    assert np.abs(last.corners * [WIDTH, HEIGHT] - place - 0.5).max() < 2


def test_the_verdicts_hint_is_told_once_it_has_lasted(looking: Looking, sight: Sight) -> None:
    sight.verdict = Judgement(hint="glare", ppi=None)

    hints = [(sighting.hint, sighting.ppi) for sighting in looking.at(LETTER, 3)]

    assert hints[0] == (None, None)
    assert hints[-1] == ("glare", None)
    assert len([hint for hint, _ in hints if hint is None]) * LOOK >= APPEARS_AFTER_SECONDS


def test_an_empty_table_asks_for_a_paper_after_a_while(looking: Looking) -> None:
    hints = [sighting.hint for sighting in looking.at(EMPTY, NO_PAGE_SECONDS + 2)]

    shown = hints.index("no_page") * LOOK
    assert NO_PAGE_SECONDS <= shown <= NO_PAGE_SECONDS + 1
    assert set(hints) == {None, "no_page"}


def test_a_sheet_that_was_taken_away_is_judged_no_more(looking: Looking, sight: Sight) -> None:
    sight.verdict = Judgement(hint="glare")
    looking.at(LETTER, 3)
    looking.at(EMPTY, 1.5)
    judged = len(sight.judged)

    *_, last = looking.at(EMPTY, 3)

    assert (last.page, last.corners, last.ppi, last.hint) == (0, None, None, None)
    assert len(sight.judged) == judged


def test_a_white_sheet_that_comes_and_goes_on_a_white_table_asks_for_a_mat(looking: Looking) -> None:
    sheets = table((paper(1), HERE), ground=149), table((paper(1), HERE), ground=149)
    sheets[0][...] = np.where(sheets[0] > 150, 165, sheets[0])
    sheets[1][...] = np.where(sheets[1] > 150, 149, sheets[1])

    hints = [sighting.hint for _ in range(SHAKY_TIMES + 4) for sheet in sheets for sighting in looking.at(sheet, 0.75)]

    assert hints[-1] == "mat"


def test_a_hand_that_rests_on_the_sheet_is_asked_away(looking: Looking) -> None:
    covered = paper(1)
    covered[:330] = 190
    looking.at(LETTER, 2)

    hints = [sighting.hint for sighting in looking.at(table((covered, HERE)), 3)]
    freed = [sighting.hint for sighting in looking.at(LETTER, 4)]

    assert (hints[-1], freed[-1]) == ("hand", None)


def test_without_a_picture_there_is_soon_no_sheet_and_no_hint(looking: Looking, sight: Sight) -> None:
    sight.verdict = Judgement(hint="glare")
    looking.at(LETTER, 3)

    blinks = [looking.eye.blink(looking.now + 0.5 * step) for step in range(1, 8)]

    assert [blink.page for blink in blinks] == [1, 1, 0, 0, 0, 0, 0]
    assert (blinks[-1].corners, blinks[-1].hint) == (None, None)


def test_a_camera_that_changes_its_size_goes_on_with_a_new_number(looking: Looking) -> None:
    looking.at(LETTER, 1)

    sightings = looking.at(table((paper(1), lying(320, 240)), size=(640, 480)), 1)

    assert [sighting.page for sighting in sightings] == [0, 0, *[2] * 6]


def test_another_eye_goes_on_counting(looking: Looking) -> None:
    looking.at(LETTER, 1)

    looking.eye = looking.eye.successor()

    assert looking.at(LETTER, 1)[-1].page == 2
