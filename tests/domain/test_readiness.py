"""What a room's check of itself means: ready, by relay only, or broken; and what is to be mended."""

from datetime import UTC, datetime, timedelta

import pytest

from etapalvelu.domain.codes import DocumentCamera, Readiness
from etapalvelu.domain.people import Role
from etapalvelu.domain.places import RoomDevices
from etapalvelu.domain.readiness import (
    ANSWERED_WITHIN,
    BELIEVED,
    REPORTED_BY,
    Check,
    CheckCode,
    CheckResult,
    RoomChecks,
    room_readiness,
    to_look_at,
    to_mend,
)

NOW = datetime(2026, 8, 17, 7, 0, tzinfo=UTC)
HERE = RoomDevices(
    screen_paired=True, screen_online=True, agent_paired=True, agent_online=True, document_camera=DocumentCamera.OK
)
OK, WARN, FAILED, SKIPPED = CheckResult.OK, CheckResult.WARN, CheckResult.FAILED, CheckResult.SKIPPED
DIRECT, UDP, TCP, TLS = CheckCode.DIRECT_PATH, CheckCode.RELAY_UDP, CheckCode.RELAY_TCP, CheckCode.RELAY_TLS


def found(at: datetime = NOW, /, **results: CheckResult) -> tuple[Check, ...]:
    return tuple(Check(code=CheckCode(code), result=result, at=at) for code, result in results.items())


def everything(**others: CheckResult) -> tuple[Check, ...]:
    return found(**(dict.fromkeys((code.value for code in CheckCode), OK) | others))


def test_a_room_whose_checks_all_went_well_is_ready() -> None:
    assert room_readiness(HERE, RoomChecks(checks=everything()), NOW) is Readiness.READY


def test_a_room_that_never_looked_at_itself_is_what_its_devices_say() -> None:
    assert room_readiness(HERE, RoomChecks(), NOW) is Readiness.READY
    assert room_readiness(RoomDevices(), RoomChecks(checks=everything()), NOW) is Readiness.UNKNOWN


@pytest.mark.parametrize("code", [code for code in CheckCode if code not in (DIRECT, UDP, TCP, TLS)])
def test_every_check_that_fails_breaks_the_room_and_is_to_be_mended(code: CheckCode) -> None:
    checks = everything(**{code: FAILED})

    assert room_readiness(HERE, RoomChecks(checks=checks), NOW) is Readiness.BROKEN
    assert (to_mend(checks), to_look_at(checks)) == ((code,), ())


@pytest.mark.parametrize("code", list(CheckCode))
def test_a_warning_breaks_nothing_and_is_told(code: CheckCode) -> None:
    checks = everything(**{code: WARN})

    assert room_readiness(HERE, RoomChecks(checks=checks), NOW) is Readiness.READY
    assert (to_mend(checks), to_look_at(checks)) == ((), (code,))


@pytest.mark.parametrize(
    ("direct", "udp", "tcp", "tls", "state", "mend"),
    [
        (OK, SKIPPED, SKIPPED, SKIPPED, Readiness.READY, ()),
        (OK, FAILED, FAILED, FAILED, Readiness.READY, ()),
        (FAILED, OK, OK, OK, Readiness.RELAY_ONLY, ()),
        (FAILED, FAILED, FAILED, OK, Readiness.RELAY_ONLY, ()),
        (FAILED, SKIPPED, SKIPPED, SKIPPED, Readiness.BROKEN, (DIRECT,)),
        (FAILED, FAILED, FAILED, FAILED, Readiness.BROKEN, (DIRECT, UDP, TCP, TLS)),
        (SKIPPED, FAILED, FAILED, OK, Readiness.READY, ()),
        (SKIPPED, FAILED, FAILED, SKIPPED, Readiness.BROKEN, (UDP, TCP)),
        (SKIPPED, SKIPPED, SKIPPED, SKIPPED, Readiness.READY, ()),
    ],
)
def test_one_way_to_kela_is_enough(
    direct: CheckResult, udp: CheckResult, tcp: CheckResult, tls: CheckResult, state: Readiness, mend: tuple[CheckCode, ...]
) -> None:
    checks = everything(direct_path=direct, relay_udp=udp, relay_tcp=tcp, relay_tls=tls)

    assert room_readiness(HERE, RoomChecks(checks=checks), NOW) is state
    assert to_mend(checks) == mend
    assert set(to_look_at(checks)) == {check.code for check in checks if check.result is FAILED} - set(mend)


def test_what_was_found_the_day_before_yesterday_is_not_believed() -> None:
    old = RoomChecks(checks=found(NOW - BELIEVED, camera=FAILED))
    new = RoomChecks(checks=found(NOW - BELIEVED + timedelta(seconds=1), camera=FAILED))

    assert room_readiness(HERE, old, NOW) is Readiness.READY
    assert room_readiness(HERE, new, NOW) is Readiness.BROKEN


def test_a_device_that_is_away_counts_more_than_any_check() -> None:
    gone = RoomDevices(screen_paired=True, agent_paired=True)

    assert room_readiness(gone, RoomChecks(checks=everything()), NOW) is Readiness.BROKEN


def test_checks_are_told_in_one_order() -> None:
    checks = RoomChecks(checks=tuple(reversed(everything())))

    assert [check.code for check in checks.believed(NOW)] == list(CheckCode)


def test_a_device_is_asked_until_it_answers_or_the_time_is_over() -> None:
    asked = RoomChecks(asked_at=NOW, checks=found(NOW - timedelta(hours=1), server_http=OK, codecs=OK))
    answered = RoomChecks(asked_at=NOW, checks=found(NOW, server_http=OK) + found(NOW - timedelta(hours=1), codecs=OK))

    assert (asked.is_due(Role.AGENT, NOW), asked.is_due(Role.ROOM, NOW)) == (True, True)
    assert (answered.is_due(Role.AGENT, NOW), answered.is_due(Role.ROOM, NOW)) == (False, True)
    assert not asked.is_due(Role.AGENT, NOW + ANSWERED_WITHIN)
    assert not RoomChecks().is_due(Role.AGENT, NOW)


def test_a_check_runs_while_a_device_that_is_there_has_to_answer() -> None:
    asked = RoomChecks(asked_at=NOW)
    agent_answered = RoomChecks(asked_at=NOW, checks=found(server_http=OK))
    no_screen = RoomDevices(agent_online=True)

    assert asked.is_running(HERE, NOW)
    assert not asked.is_running(RoomDevices(), NOW)
    assert not agent_answered.is_running(no_screen, NOW)
    assert agent_answered.is_running(HERE, NOW)


def test_the_agents_answer_is_what_counts_as_this_mornings() -> None:
    checks = RoomChecks(checks=found(NOW, server_http=OK))

    assert checks.answered_since(NOW)
    assert not checks.answered_since(NOW + timedelta(seconds=1))


def test_more_than_sixteen_things_are_looked_at_and_each_by_one_device() -> None:
    by_server = {CheckCode.SCREEN, CheckCode.CREDENTIAL, CheckCode.AGENT_VERSION, CheckCode.PAGE_VERSION}

    assert len(CheckCode) >= 16
    assert REPORTED_BY[Role.ROOM] | REPORTED_BY[Role.AGENT] | by_server == set(CheckCode)
    assert not REPORTED_BY[Role.ROOM] & REPORTED_BY[Role.AGENT]
