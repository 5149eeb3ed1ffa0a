from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from etapalvelu.domain.codes import (
    ActingFor,
    CauseClass,
    CloseCause,
    FollowUp,
    IdentifiedBy,
    Language,
    Need,
    Outcome,
    Path,
    Reason,
    ReleaseReason,
    Seat,
)
from etapalvelu.domain.events import (
    AdvisorLeaves,
    AdvisorStays,
    Claimed,
    Closed,
    Connected,
    Continued,
    Event,
    Held,
    Identified,
    Interrupted,
    Invited,
    Joined,
    Left,
    Noted,
    Opened,
    Released,
    Resumed,
    StillTaken,
    Transferred,
    TransferRequested,
)
from etapalvelu.domain.log import GENESIS, Entry
from etapalvelu.pages import assets
from etapalvelu.pages.event_words import details
from etapalvelu.pages.language import duration, load_languages
from etapalvelu.pages.timeline import LEFT, RIGHT, draw, readings
from etapalvelu.ports import Sample
from tests.domain.samples import saying

BEGIN = datetime(2026, 8, 17, 7, 0, tzinfo=UTC)
OPENED = Opened(
    point="rantala", room="rantala-1", theme="pensions", language=Language.FI, reason=Reason.ADVICE, needs=(Need.INTERPRETER,)
)


def after(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def log(*told: tuple[float, Event]) -> list[Entry]:
    bare = Entry(session="s", seq=0, at=BEGIN, type="", actor="system", written="{}", prev=GENESIS, hash=GENESIS)
    return [saying(replace(bare, seq=seq, at=after(seconds)), event) for seq, (seconds, event) in enumerate(told, start=1)]


def test_a_whole_session_is_drawn_to_scale() -> None:
    entries = log(
        (0, OPENED),
        (0, Joined(seat=Seat.ROOM)),
        (0, Joined(seat=Seat.CAMERA)),
        (100, Claimed(expert="eero", lease_seconds=20)),
        (110, Joined(seat=Seat.EXPERT)),
        (120, Connected(path=Path.HOST, setup_ms=400)),
        (140, StillTaken(sha256="a" * 64, size=1, width=1, height=1, verdict="ok")),
        (165, Interrupted(seat=Seat.ROOM, cause_class=CauseClass.SITE_NETWORK, since=after(160))),
        (170, Resumed(seat=Seat.ROOM, gap_ms=10_000)),
        (175, Held()),
        (180, Continued()),
        (200, Closed(cause=CloseCause.COMPLETED)),
    )

    drawing = draw(entries, (), after(9999))

    def spans(number: int) -> list[tuple[str, float, float]]:
        return [
            (span.kind, (span.begins - BEGIN).total_seconds(), (span.ends - BEGIN).total_seconds())
            for span in drawing.bands[number].spans
        ]

    assert [band.seat for band in drawing.bands] == [None, Seat.ROOM, Seat.CAMERA, Seat.EXPERT]
    assert spans(0) == [
        ("waiting", 0, 100),
        ("claimed", 100, 120),
        ("served", 120, 175),
        ("held", 175, 180),
        ("served", 180, 200),
    ]
    assert spans(1) == [("seated", 0, 200), ("gap", 160, 170)]
    assert spans(3) == [("seated", 110, 200)]
    assert drawing.bands[2].stills == (LEFT + 0.7 * (RIGHT - LEFT),)
    assert (drawing.bands[0].spans[0].x, drawing.bands[0].spans[0].width) == (LEFT, (RIGHT - LEFT) / 2)
    assert [(tick.at - BEGIN).total_seconds() for tick in drawing.ticks] == [0, 30, 60, 90, 120, 150, 180]


def test_an_open_session_reaches_to_now_with_its_gap() -> None:
    entries = log(
        (0, OPENED),
        (10, Joined(seat=Seat.ROOM)),
        (30, Interrupted(seat=Seat.ROOM, cause_class=CauseClass.UNKNOWN, since=after(20))),
    )

    drawing = draw(entries, (), after(40))

    assert drawing.ends == after(40)
    assert [(span.kind, span.begins, span.ends) for span in drawing.bands[1].spans] == [
        ("seated", after(10), after(40)),
        ("gap", after(20), after(40)),
    ]


def test_a_seat_that_was_given_up_lost_ends_with_its_gap() -> None:
    entries = log(
        (0, OPENED),
        (0, Joined(seat=Seat.ROOM)),
        (10, Claimed(expert="eero", lease_seconds=20)),
        (11, Joined(seat=Seat.EXPERT)),
        (20, Interrupted(seat=Seat.EXPERT, cause_class=CauseClass.EXPERT_SIDE, since=after(18))),
        (30, Left(seat=Seat.EXPERT)),
        (30, Released(expert="eero", reason=ReleaseReason.EXPERT_LOST)),
        (40, Closed(cause=CloseCause.NO_EXPERT)),
    )

    drawing = draw(entries, (), after(40))

    assert [(span.kind, span.begins, span.ends) for span in drawing.bands[2].spans] == [
        ("seated", after(11), after(30)),
        ("gap", after(18), after(30)),
    ]
    assert [span.kind for span in drawing.bands[0].spans] == ["waiting", "claimed", "waiting"]


def test_a_session_that_ended_as_it_began_can_be_drawn() -> None:
    drawing = draw(log((0, OPENED), (0, Closed(cause=CloseCause.CANCELLED))), (), after(0))

    assert drawing.bands[0].spans == ()
    assert drawing.ends > drawing.begins


def test_samples_become_readings_and_curves() -> None:
    def sample(seconds: float, **video: float) -> Sample:
        stats = [
            {"type": "inbound-rtp", "kind": "video", "frameWidth": 640, "frameHeight": 480, **video},
            {"type": "candidate-pair", "currentRoundTripTime": 0.02},
            {"type": "remote-inbound-rtp", "roundTripTime": 0.03},
        ]
        return Sample(session="s", at=after(seconds), seat="expert", peer="room", stats=stats)

    rows = readings([sample(20, framesPerSecond=15), sample(10, framesPerSecond=30, packetsLost=5, packetsReceived=95)])
    bare = readings([Sample(session="s", at=after(10), seat="camera", peer="expert", stats=[])])
    curves = draw(log((0, OPENED)), [*rows, *bare], after(40)).curves

    assert [(row.frames_per_second, row.round_trip_ms, row.lost_percent, row.width) for row in rows] == [
        (30, 30.0, 5.0, 640),
        (15, 30.0, None, 640),
    ]
    assert [(curve.name, curve.seat, curve.peer, curve.highest) for curve in curves] == [
        ("frames_per_second", "expert", "room", 30),
        ("round_trip_ms", "expert", "room", 30.0),
    ]
    assert curves[0].points == ((LEFT + 255, curves[0].y), (LEFT + 510, curves[0].y + 28))


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (OPENED, "Eläkkeet · Neuvonta · suomi · Tulkki"),
        (Claimed(expert="eero", lease_seconds=20), "Eero Esimerkki"),
        (Released(expert="eero", reason=ReleaseReason.LEASE), "Eero Esimerkki · Asiantuntija ei tullut ajoissa"),
        (Joined(seat=Seat.ROOM), "Asiakkaan näyttö"),
        (Left(seat=Seat.EXPERT), "Asiantuntija"),
        (Connected(path=Path.RELAY, setup_ms=640), "varareitti · kuva ja ääni 0,6 s"),
        (
            Interrupted(seat=Seat.ROOM, cause_class=CauseClass.SITE_NETWORK, since=BEGIN),
            "Asiakkaan näyttö · Palvelupisteen verkko · klo 10.00.00 alkaen",
        ),
        (Resumed(seat=Seat.ROOM, gap_ms=75_000), "Asiakkaan näyttö · katko 1 min 15 s"),
        (Held(), ""),
        (Continued(), ""),
        (AdvisorStays(), ""),
        (AdvisorLeaves(), ""),
        (TransferRequested(theme="families", code=ReleaseReason.WRONG_THEME), "Lapsiperheet · Asia kuuluu toiseen aiheeseen"),
        (TransferRequested(expert="elsa", code=ReleaseReason.CANNOT_SERVE), "elsa · Asiantuntija ei voinut palvella"),
        (Transferred(expert="elsa"), "elsa"),
        (Invited(seat=Seat.INTERPRETER), "Tulkki"),
        (Identified(how=IdentifiedBy.PASSPORT, acting_for=ActingFor.PROXY), "Passi · Valtakirjalla"),
        (
            StillTaken(sha256="ab" * 32, size=1_300_000, width=3840, height=2160, verdict="readable"),
            "Sivu on luettavissa · 3840 × 2160 · 1\N{NO-BREAK SPACE}300 kt · SHA-256 abababababab…",
        ),
        (
            StillTaken(sha256="ab" * 32, size=200_000, width=1480, height=2093, verdict="of_tomorrow", raw_sha256="cd" * 32),
            "1480 × 2093 · 200 kt · SHA-256 abababababab… · myös kameran kuva",
        ),
        (Noted(outcomes=(Outcome.ADVISED,)), "Neuvottu"),
        (Noted(outcomes=(), follow_up=FollowUp.NEW_SESSION), "Sovittiin uudesta etäyhteydestä"),
        (Closed(cause=CloseCause.COMPLETED), "Asia hoidettiin"),
        (Closed(cause=CloseCause.COMPLETED, since=BEGIN), "Asia hoidettiin · ilmoitettu jälkikäteen, tehty klo 10.00.00"),
        (Noted(outcomes=(Outcome.ADVISED,), since=BEGIN), "Neuvottu · ilmoitettu jälkikäteen, tehty klo 10.00.00"),
        (Closed(cause=CloseCause.TECHNICAL, cause_class=CauseClass.CAMERA), "Tekninen vika · Huoneen kamera"),
    ],
)
def test_an_event_says_its_facts_in_the_persons_language(event: Event, words: str) -> None:
    assert details(event, load_languages(assets.LOCALE)["fi"], {"eero": "Eero Esimerkki"}) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, "–"), (0, "0 s"), (59.9, "59 s"), (60, "1 min"), (245, "4 min 5 s"), (3600, "1 h 0 min"), (4320, "1 h 12 min")],
)
def test_a_duration_is_told_in_the_units_that_matter(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words
