import cv2
import numpy as np
import pytest

from etapalvelu.room.camera import Frame
from etapalvelu.room.eye import Sighting
from etapalvelu.room.imprint import imprint_of, same_share
from etapalvelu.room.pixels import Bgr, Jpeg, Picture, Pixels, jpeg
from etapalvelu.room.view import BACKDROP_BGR, LIGHT_SECONDS, SheetView
from signaling.document import View
from tests.room.tables import Quad, lying, paper, table

SIZE = (960, 540)
HERE = lying(400, 250, 20, high=300)
UPRIGHT = np.array([[0, 0], [419, 0], [419, 593], [0, 593]], np.float32)
LETTER = paper(1)


class Showing:
    """A view, the clock, and the frames that were handed on."""

    def __init__(self) -> None:
        self.now = 10.0
        self.offered: list[tuple[int, tuple[int, int]]] = []
        self.view = SheetView(offer=self._offer, clock=lambda: self.now)
        self._number = 0

    def _offer(self, frame: Frame, picture: Bgr) -> None:
        self.offered.append((frame.number, (picture.shape[1], picture.shape[0])))

    def see(self, place: Quad | None, *, page: int = 1, is_calm: bool = True) -> Sighting:
        corners = None if place is None else ((place + 0.5) / SIZE).astype(np.float32)
        sighting = Sighting(at=self.now, page=0 if place is None else page, corners=corners, is_calm=is_calm)
        self.view.see(sighting, SIZE)
        return sighting

    def sends(self, picture: Picture) -> Bgr | None:
        self._number += 1
        return self.view.show(Frame(number=self._number, at=self.now, picture=picture))


@pytest.fixture
def showing() -> Showing:
    return Showing()


def picture_of(place: Quad = HERE, sheet: Bgr = LETTER) -> Pixels:
    return Pixels(table((sheet, place), size=SIZE))


def likeness(sent: Bgr | None, corners: Quad | None) -> float:
    """How much what stands inside these corners of the picture sent is the letter, upright."""
    assert sent is not None
    assert corners is not None
    share = same_share(imprint_of(LETTER, UPRIGHT), imprint_of(sent, corners * [sent.shape[1], sent.shape[0]] - 0.5))
    assert share is not None
    return share


def test_the_table_is_sent_as_it_is_unless_the_sheet_is_asked_for(showing: Showing) -> None:
    picture = picture_of()
    sighting = showing.see(HERE)

    sent = showing.sends(picture)

    assert sent is not None
    assert (showing.view.shown, np.array_equal(sent, picture.full())) == ("table", True)
    assert showing.view.corners_sent(sighting) is sighting.corners


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_sheet_alone_stands_in_the_middle_turned_as_asked_with_its_corners_told(showing: Showing, turn: int) -> None:
    showing.view.choose("page", turn)
    sighting = showing.see(HERE)

    sent = showing.sends(picture_of())

    corners = showing.view.corners_sent(sighting)
    assert sent is not None
    assert corners is not None
    assert showing.view.shown == "page"
    assert sent.shape == (SIZE[1], SIZE[0], 3)
    assert likeness(sent, corners) > 0.9
    wide = 540 / 2**0.5 if turn % 180 == 0 else 540 * 2**0.5
    assert np.abs(np.ptp(corners, axis=0) * SIZE - [wide, 540]).max() < 12
    assert np.abs(corners.mean(axis=0) - 0.5).max() < 0.01
    assert tuple(sent[5, 5]) == BACKDROP_BGR


def test_turns_add_up_and_stay_for_the_next_sheet(showing: Showing) -> None:
    for turn in (90, 270, 90):
        showing.view.choose("page", turn)
    showing.see(None)

    sighting = showing.see(HERE, page=2)

    corners = showing.view.corners_sent(sighting)
    assert corners is not None
    # Its upper left has come to stand at the upper right.
    assert corners[0][0] > 0.5 > corners[0][1]


def test_without_a_sheet_the_table_is_sent_and_the_sheet_again_when_it_is_back(showing: Showing) -> None:
    showing.view.choose("page", 0)
    shown: list[View] = []
    for place in (None, HERE, None, HERE):
        showing.see(place)
        shown.append(showing.view.shown)

    assert shown == ["table", "page", "table", "page"]
    showing.view.choose("table", 0)
    showing.see(HERE)
    assert showing.view.shown == "table"


def test_a_sheet_in_shadow_is_sent_in_even_light(showing: Showing) -> None:
    showing.view.choose("page", 0)
    sighting = showing.see(HERE)
    shade = np.linspace(0.35, 1.0, SIZE[0])[None, :, None]
    picture = Pixels((picture_of().full() * shade).astype(np.uint8))

    sent = showing.sends(picture)

    corners = showing.view.corners_sent(sighting)
    assert sent is not None
    assert corners is not None
    left, right = (sent[250:290, column].max(axis=0).min() for column in (300, 650))
    assert (int(left) > 225, int(right) > 225) == (True, True)
    assert likeness(sent, corners) > 0.9


def test_a_still_sheet_makes_a_still_picture(showing: Showing) -> None:
    showing.view.choose("page", 0)
    random = np.random.default_rng(3)
    showing.see(HERE)
    bare = picture_of().full().astype(np.int16)
    sent = []
    for _ in range(4):
        showing.now += LIGHT_SECONDS * 1.5
        noisy = np.clip(bare + random.normal(0, 2, bare.shape), 0, 255).astype(np.uint8)
        sent.append(showing.sends(Pixels(noisy)))

    first = sent[0]
    assert first is not None
    for later in sent[1:]:
        assert later is not None
        # Noise alone, no step in brightness: the means of large parts are what they were.
        parts = [cv2.resize(picture, (16, 9), interpolation=cv2.INTER_AREA).astype(int) for picture in (first, later)]
        assert np.abs(parts[0] - parts[1]).max() <= 2


def test_a_sheet_partly_outside_the_picture_ends_in_the_backdrop(showing: Showing) -> None:
    outside = lying(400, 40, high=300)
    showing.view.choose("page", 0)
    showing.see(outside)

    sent = showing.sends(picture_of(outside))

    assert sent is not None
    assert tuple(sent[20, SIZE[0] // 2]) == BACKDROP_BGR
    assert int(sent[400, SIZE[0] // 2 - 180].min()) > 225


def test_a_moved_sheet_keeps_its_proportions_until_it_lies_still(showing: Showing) -> None:
    showing.view.choose("page", 0)
    before = showing.view.corners_sent(showing.see(HERE))
    tilted = HERE * np.array([1, 0.9], np.float32)

    moving = showing.view.corners_sent(showing.see(tilted, is_calm=False))
    resting = showing.view.corners_sent(showing.see(tilted, is_calm=True))

    assert np.array_equal(np.asarray(before), np.asarray(moving))
    assert not np.array_equal(np.asarray(before), np.asarray(resting))


def test_pictures_made_for_sending_are_handed_on(showing: Showing) -> None:
    showing.sends(picture_of())
    showing.view.choose("page", 0)
    showing.see(HERE)
    showing.sends(picture_of())

    assert showing.offered == [(1, SIZE), (2, SIZE)]


class SlowCamera:
    """A picture four times as large as it is sent, that takes its time when wanted in full."""

    size = (3840, 2160)

    def __init__(self, showing: Showing, seconds: float) -> None:
        self._showing = showing
        self._seconds = seconds
        self._full = Pixels(table((LETTER, lying(1000, 1000, high=400)), size=self.size))

    def full(self) -> Bgr:
        self._showing.now += self._seconds
        return self._full.full()

    def live(self) -> Bgr:
        return self._full.live()


def test_a_small_sheet_is_taken_from_the_full_picture_but_not_more_often_than_it_can_be_made(showing: Showing) -> None:
    camera = SlowCamera(showing, 0.06)
    showing.view.choose("page", 0)
    corners = ((lying(1000, 1000, high=400) + 0.5) / camera.size).astype(np.float32)
    sighting = Sighting(at=0, page=1, corners=corners, is_calm=True)
    showing.view.see(sighting, camera.size)

    sent = []
    for _ in range(30):
        showing.now += 1 / 15
        sent.append(showing.sends(camera))

    made = [picture for picture in sent if picture is not None]
    assert 10 <= len(made) <= 20
    assert {picture.shape for picture in made} == {(1080, 1920, 3)}
    assert likeness(made[0], showing.view.corners_sent(sighting)) > 0.9
    assert {size for _, size in showing.offered} == {camera.size}


def test_a_large_sheet_is_taken_from_the_smaller_picture(showing: Showing) -> None:
    place = lying(1900, 1080, high=2000)
    whole = table((LETTER, place), size=(3840, 2160))
    picture = Jpeg(np.frombuffer(jpeg(whole), np.uint8), (3840, 2160))
    showing.view.choose("page", 0)
    sighting = Sighting(at=0, page=1, corners=((place + 0.5) / (3840, 2160)).astype(np.float32), is_calm=True)
    showing.view.see(sighting, picture.size)

    sent = showing.sends(picture)

    assert likeness(sent, showing.view.corners_sent(sighting)) > 0.9
    assert showing.offered == [(1, (1920, 1080))]


def test_nothing_of_the_sheet_is_kept_when_nobody_looks(showing: Showing) -> None:
    showing.view.choose("page", 0)
    showing.see(HERE)
    showing.sends(picture_of())

    showing.view.forget()

    assert showing.view.shown == "table"
    assert not [value for value in vars(showing.view).values() if isinstance(value, np.ndarray)]
