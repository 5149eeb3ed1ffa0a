"""The source `test:`: a made-up Finnish letter on a desk, seen from above, with a running clock beside it.

The desk is drawn once at full size; a frame copies it and refreshes only the clock. No person, address or case in it is real.
"""

from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

import cv2
import numpy as np

from etapalvelu.room.clock import draw_clock
from etapalvelu.room.pixels import LIVE_HEIGHT, LIVE_WIDTH, Bgr

FULL_WIDTH: Final = 3840
FULL_HEIGHT: Final = 2160
FRAMES_PER_SECOND: Final = 15

_HELSINKI: Final = ZoneInfo("Europe/Helsinki")
_DESK_BGR: Final = (104, 124, 138)
_SHADOW_BGR: Final = (70, 86, 98)
_PAPER_BGR: Final = (238, 244, 247)
_INK_BGR: Final = (44, 38, 36)
_BLUE_BGR: Final = (122, 62, 12)
# The sheet is A4 upright, in pixels of the full picture.
_SHEET_LEFT: Final = 1500
_SHEET_TOP: Final = 50
_SHEET_HEIGHT: Final = 2060
_SHEET_WIDTH: Final = round(_SHEET_HEIGHT / 2**0.5)
_PX_PER_MM: Final = _SHEET_HEIGHT / 297
# Where the time stands for people: left and base line, height, in pixels of a live frame.
_TIME_LEFT: Final = 80
_TIME_BASE: Final = 360
_TIME_SIZE: Final = 64

_LINES: Final = (
    # millimetres from the top, size in millimetres, weight, text
    (24, 7.0, 700, "ETÄPALVELUN MALLIKIRJE"),
    (32, 3.6, 400, "Tämä kirje on keksitty kokeilua varten. Siinä ei ole kenenkään tietoja."),
    (50, 4.2, 400, "Malliasiakas"),
    (56, 4.2, 400, "Esimerkkikuja 0"),
    (62, 4.2, 400, "00000 MALLILA"),
    (82, 5.4, 700, "Päätös yleisestä asumistuesta"),
    (94, 4.2, 400, "Olemme käsitelleet hakemuksenne. Teille myönnetään yleistä asumistukea"),
    (101, 4.2, 400, "1.9. alkaen 123,45 euroa kuukaudessa. Tuki maksetaan kuukauden"),
    (108, 4.2, 400, "ensimmäisenä arkipäivänä ilmoittamallenne tilille."),
    (120, 4.8, 700, "Miten tuki on laskettu"),
    (130, 4.2, 400, "Hyväksytyt asumismenot"),
    (137, 4.2, 400, "Perusomavastuu"),
    (144, 4.2, 400, "Tuki on 70 prosenttia erotuksesta"),
    (151, 4.2, 700, "Maksetaan"),
    (165, 4.8, 700, "Ilmoittakaa muutoksista"),
    (175, 4.2, 400, "Jos tulonne, vuokranne tai ruokakuntanne muuttuu, ilmoittakaa siitä heti."),
    (182, 4.2, 400, "Tukea voidaan tarkistaa myös väliaikana. Ääkköset: å ä ö Å Ä Ö."),
    (196, 4.8, 700, "Muutoksenhaku"),
    (206, 3.4, 400, "Jos ette tyydy päätökseen, voitte hakea siihen muutosta kirjallisella valituksella."),
    (212, 3.4, 400, "Valitusaika on 30 päivää siitä, kun saitte päätöksen tiedoksi."),
    (218, 2.6, 400, "Pieni teksti: tämän rivin kirjaimet ovat noin kahden millimetrin korkuisia."),
    (223, 2.0, 400, "Pienin teksti: tämän rivin lukeminen vaatii kameran täyden tarkkuuden."),
    (282, 3.0, 400, "Sivu 1 (1)"),
)
_AMOUNTS: Final = ((130, "612,00 €"), (137, "435,64 €"), (144, "123,45 €"), (151, "123,45 €"))
_AMOUNT_MM: Final = 150
_MARGIN_MM: Final = 20


class Letter:
    """One moment of the letter under the camera, drawn when somebody looks."""

    size = (FULL_WIDTH, FULL_HEIGHT)

    def __init__(self, unix_ms: int) -> None:
        self._unix_ms = unix_ms

    def full(self) -> Bgr:
        return self._with_clock(full_desk())

    def live(self) -> Bgr:
        return self._with_clock(live_desk())

    def _with_clock(self, desk: Bgr) -> Bgr:
        frame = desk.copy()
        draw_clock(frame, self._unix_ms)
        scale = frame.shape[1] / LIVE_WIDTH
        shown = datetime.fromtimestamp(self._unix_ms / 1000, _HELSINKI).strftime("%H:%M:%S.%f")[:-5]
        place = (round(_TIME_LEFT * scale), round(_TIME_BASE * scale))
        cv2.putText(frame, shown, place, (255, 255, 255), _font(), round(_TIME_SIZE * scale), 700)
        return frame


@cache
def full_desk() -> Bgr:
    """The desk without a clock, as the camera's full picture; callers must not write into it."""
    desk = np.empty((FULL_HEIGHT, FULL_WIDTH, 3), np.uint8)
    desk[:] = _DESK_BGR
    right, bottom = _SHEET_LEFT + _SHEET_WIDTH, _SHEET_TOP + _SHEET_HEIGHT
    cv2.rectangle(desk, (_SHEET_LEFT + 14, _SHEET_TOP + 14), (right + 14, bottom + 14), _SHADOW_BGR, cv2.FILLED)
    desk = np.asarray(cv2.blur(desk, (21, 21)), np.uint8)
    cv2.rectangle(desk, (_SHEET_LEFT, _SHEET_TOP), (right, bottom), _PAPER_BGR, cv2.FILLED)
    for down_mm, size_mm, weight, text in _LINES:
        _write(desk, text, (_MARGIN_MM, down_mm), size_mm, weight, _BLUE_BGR if weight == 700 else _INK_BGR)
    for down_mm, amount in _AMOUNTS:
        _write(desk, amount, (_AMOUNT_MM, down_mm), 4.2, 400, _INK_BGR)
    cv2.line(desk, _place(_MARGIN_MM, 38), _place(190, 38), _BLUE_BGR, 6)
    cv2.circle(desk, _place(165, 250), round(15 * _PX_PER_MM), _BLUE_BGR, 8, cv2.LINE_AA)
    _write(desk, "MALLI", (156, 252), 5.4, 700, _BLUE_BGR)
    desk.flags.writeable = False
    return desk


@cache
def live_desk() -> Bgr:
    """The desk without a clock, as large as a live frame; callers must not write into it."""
    desk = np.asarray(cv2.resize(full_desk(), (LIVE_WIDTH, LIVE_HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    desk.flags.writeable = False
    return desk


@cache
def _font() -> cv2.FontFace:
    return cv2.FontFace("sans")


def _write(desk: Bgr, text: str, at_mm: tuple[float, float], size_mm: float, weight: int, ink: tuple[int, int, int]) -> None:
    cv2.putText(desk, text, _place(*at_mm), ink, _font(), round(size_mm * _PX_PER_MM), weight)


def _place(across_mm: float, down_mm: float) -> tuple[int, int]:
    return round(_SHEET_LEFT + across_mm * _PX_PER_MM), round(_SHEET_TOP + down_mm * _PX_PER_MM)
