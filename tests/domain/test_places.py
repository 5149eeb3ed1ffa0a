"""Rooms and points: what makes a room ready, and what stands against opening a session."""

from datetime import UTC, date, datetime
from itertools import product

import pytest
from msgspec.structs import replace

from etapalvelu.domain.codes import DocumentCamera, Readiness
from etapalvelu.domain.errors import NotOfferedError, OutsideHoursError, RoomNotFitError
from etapalvelu.domain.places import Room, RoomDevices, ServicePoint, check_opening, missing, readiness
from etapalvelu.domain.themes import Theme, weekdays

POINT = ServicePoint(id="rantala", name="Rantala", municipality="Rantala", hours=weekdays(8, 15), opens_on=date(2026, 8, 17))
ROOM = Room(id="rantala-1", name="Huone 1", point="rantala", fit_from=date(2026, 8, 18))
THEME = Theme(key="pensions", hours=weekdays(9, 16))
TUESDAY_NOON = datetime(2026, 8, 18, 9, tzinfo=UTC)

ALL_WELL = RoomDevices(
    screen_paired=True, screen_online=True, agent_paired=True, agent_online=True, document_camera=DocumentCamera.OK
)


def opening(theme: Theme = THEME, room: Room = ROOM, now: datetime = TUESDAY_NOON, holidays: tuple[date, ...] = ()) -> None:
    check_opening(theme, room, POINT, now, holidays.__contains__)


def test_nothing_stands_against_a_fit_room_in_hours() -> None:
    opening()


def test_a_theme_that_is_not_offered_is_refused_first() -> None:
    with pytest.raises(NotOfferedError) as refusal:
        opening(theme=replace(THEME, offered=False), now=datetime(2026, 8, 18, 20, tzinfo=UTC))

    assert refusal.value.facts == {"theme": "pensions"}


@pytest.mark.parametrize(
    ("now", "opens_at"),
    [
        (datetime(2026, 8, 18, 5, 30, tzinfo=UTC), "2026-08-18T06:00:00.000Z"),  # the theme is closed yet, the point open
        (datetime(2026, 8, 18, 12, 30, tzinfo=UTC), "2026-08-19T06:00:00.000Z"),  # the point is closed, the theme open yet
        (datetime(2026, 8, 10, 9, tzinfo=UTC), "2026-08-17T06:00:00.000Z"),  # the point is not open for the first time yet
        (datetime(2026, 8, 20, 9, tzinfo=UTC), "2026-08-21T06:00:00.000Z"),  # a holiday
    ],
)
def test_outside_hours_the_refusal_names_the_moment_when_both_are_open(now: datetime, opens_at: str) -> None:
    with pytest.raises(OutsideHoursError) as refusal:
        opening(now=now, holidays=(date(2026, 8, 20),))

    assert refusal.value.facts == {"opens_at": opens_at}


@pytest.mark.parametrize(("fit_from", "fact"), [(None, None), (date(2026, 8, 19), "2026-08-19")])
def test_a_room_that_is_not_fit_is_refused(fit_from: date | None, fact: str | None) -> None:
    with pytest.raises(RoomNotFitError) as refusal:
        opening(room=replace(ROOM, fit_from=fit_from))

    assert refusal.value.facts == {"room": "rantala-1", "fit_from": fact}


@pytest.mark.parametrize(
    ("devices", "state", "lacks"),
    [
        (RoomDevices(), Readiness.UNKNOWN, ("screen_not_paired", "agent_not_paired")),
        (replace(ALL_WELL, screen_paired=False, screen_online=False), Readiness.UNKNOWN, ("screen_not_paired",)),
        (replace(ALL_WELL, agent_paired=False, agent_online=False), Readiness.UNKNOWN, ("agent_not_paired",)),
        (replace(ALL_WELL, screen_online=False), Readiness.BROKEN, ("screen_away",)),
        (replace(ALL_WELL, agent_online=False), Readiness.BROKEN, ("agent_away",)),
        (replace(ALL_WELL, document_camera=None), Readiness.BROKEN, ("document_camera_lost",)),
        (replace(ALL_WELL, document_camera=DocumentCamera.LOST), Readiness.BROKEN, ("document_camera_lost",)),
        (replace(ALL_WELL, document_camera=DocumentCamera.OPENING), Readiness.BROKEN, ("document_camera_lost",)),
        (ALL_WELL, Readiness.READY, ()),
    ],
)
def test_a_room_is_ready_or_one_hears_what_is_missing(devices: RoomDevices, state: Readiness, lacks: tuple[str, ...]) -> None:
    assert (readiness(devices), missing(devices)) == (state, lacks)


def test_a_room_is_ready_exactly_when_nothing_is_missing() -> None:
    for paired, online, agent_paired, agent_online in product((True, False), repeat=4):
        for camera in (None, *DocumentCamera):
            devices = RoomDevices(
                screen_paired=paired,
                screen_online=online and paired,
                agent_paired=agent_paired,
                agent_online=agent_online and agent_paired,
                document_camera=camera,
            )
            assert (readiness(devices) is Readiness.READY) == (missing(devices) == ())
