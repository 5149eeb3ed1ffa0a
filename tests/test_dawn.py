"""When rooms are asked to look at themselves, who may ask, and what becomes of the answers."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from etapalvelu.dawn import AGAIN, Finding, Report
from etapalvelu.domain.codes import DocumentCamera, Readiness
from etapalvelu.domain.errors import NotAllowedError, NotFoundError, RoomInUseError
from etapalvelu.domain.people import Device, Person, Role, Staff
from etapalvelu.domain.readiness import Check, CheckCode, CheckNote, CheckResult, RoomChecks
from etapalvelu.ports import Login, room_topic
from tests.conftest import ADVISOR, AGENT, EXPERT, SCREEN, SUPERVISOR, Service

OK, WARN, FAILED = CheckResult.OK, CheckResult.WARN, CheckResult.FAILED
ROOM = "rantala-1"
# A Monday; the point opens at 9 in Helsinki, which is 6 in UTC.
OPENS = datetime(2026, 8, 17, 6, 0, tzinfo=UTC)
DUE = OPENS - timedelta(minutes=45)


async def here(service: Service, room: str = ROOM, *roles: Role) -> None:
    for role in roles or (Role.ROOM, Role.AGENT):
        await service.accounts.add_login(
            Login(id=f"{room} {role}", kind="device", account=room, role=role, room=room, created_at=service.clock())
        )
        await service.places.device_online(room, role, "a node")
    await service.places.document_camera(room, DocumentCamera.OK)


async def checks_of(service: Service, room: str = ROOM) -> RoomChecks:
    return (await service.places.checks([room]))[room]


def agents(**results: CheckResult) -> Report:
    findings = [Finding(code=CheckCode(code), result=result) for code, result in ({"server_http": OK} | results).items()]
    return Report(version="1.0", findings=findings)


async def answer(service: Service, room: str = ROOM) -> None:
    await service.dawn.report(Device(room=room, point="rantala", role=Role.AGENT), agents(), None)


async def asked_rooms(service: Service) -> list[str]:
    known = await service.places.checks(["rantala-1", "rantala-2", "rantala-3"])
    return [room for room, checks in known.items() if checks.asked_at == service.clock()]


async def test_rooms_are_asked_before_their_point_opens(service: Service) -> None:
    await here(service)
    service.clock.now = DUE - timedelta(seconds=1)
    await service.dawn.sweep()
    too_early = await asked_rooms(service)
    service.clock.now = DUE

    await service.dawn.sweep()

    assert (too_early, await asked_rooms(service)) == ([], [ROOM])


async def test_devices_hear_that_they_are_asked_until_they_have_answered(service: Service) -> None:
    await here(service)
    service.clock.now = DUE
    async with service.board.listen([room_topic(ROOM)]) as notices:
        await service.dawn.sweep()
        await notices.wait()

    assert (await service.dawn.asked(AGENT), await service.dawn.asked(SCREEN)) == (DUE, DUE)
    await answer(service)
    assert (await service.dawn.asked(AGENT), await service.dawn.asked(SCREEN)) == (None, DUE)


async def test_a_room_that_answered_this_morning_is_not_asked_again(service: Service) -> None:
    await here(service)
    service.clock.now = DUE
    await service.dawn.sweep()
    service.clock.advance(seconds=20)
    await answer(service)

    for _ in range(20):
        service.clock.advance(minutes=30)
        await service.dawn.sweep()

    assert (await checks_of(service)).asked_at == DUE


async def test_a_room_that_gave_no_answer_is_asked_again_after_a_while(service: Service) -> None:
    await here(service)
    service.clock.now = DUE
    await service.dawn.sweep()
    service.clock.now = DUE + AGAIN - timedelta(seconds=1)
    await service.dawn.sweep()
    too_soon = await asked_rooms(service)
    service.clock.now = DUE + AGAIN

    await service.dawn.sweep()

    assert (too_soon, await asked_rooms(service)) == ([], [ROOM])


async def test_a_room_that_comes_late_is_asked_when_it_comes(service: Service) -> None:
    service.clock.now = OPENS + timedelta(minutes=30)
    await service.dawn.sweep()
    before = await asked_rooms(service)
    await here(service)

    await service.dawn.sweep()

    assert (before, await asked_rooms(service)) == ([], [ROOM])


async def test_yesterdays_answer_is_not_this_mornings(service: Service) -> None:
    await here(service)
    service.clock.now = DUE
    await service.dawn.sweep()
    await answer(service)
    service.clock.now = DUE + timedelta(days=1)

    await service.dawn.sweep()

    assert await asked_rooms(service) == [ROOM]


@pytest.mark.parametrize(
    "now", [DUE - timedelta(days=1), OPENS + timedelta(hours=8)], ids=["on a Sunday", "after the point has closed"]
)
async def test_nothing_is_asked_when_the_point_gives_no_service(service: Service, now: datetime) -> None:
    await here(service)
    service.clock.now = now

    await service.dawn.sweep()

    assert await asked_rooms(service) == []


async def test_rooms_that_are_not_fit_or_not_in_use_are_left_alone(service: Service) -> None:
    changes: tuple[dict[str, object], ...] = (
        {"in_use": False},
        {"fit_from": None},
        {"fit_from": DUE.date() + timedelta(days=1)},
    )
    for number, change in enumerate(changes, start=1):
        await here(service, f"rantala-{number}")
        await _change_room(service, f"rantala-{number}", change)
    service.clock.now = DUE

    await service.dawn.sweep()

    assert await asked_rooms(service) == []


async def _change_room(service: Service, room: str, change: dict[str, object]) -> None:
    known = await service.places.room(room)
    assert known is not None
    await service.places.change_room(msgspec.structs.replace(known, **change))


async def test_a_room_with_a_customer_is_left_alone(service: Service) -> None:
    await here(service)
    service.clock.now = OPENS
    await service.opened(ROOM)

    await service.dawn.sweep()
    with pytest.raises(RoomInUseError):
        await service.dawn.ask(ADVISOR, ROOM)

    assert await asked_rooms(service) == []


@pytest.mark.parametrize("who", [ADVISOR, SUPERVISOR], ids=lambda who: str(who.role))
async def test_the_points_advisor_and_its_supervisor_may_ask(service: Service, who: Staff) -> None:
    moment = await service.dawn.ask(who, ROOM)

    assert (moment, await service.dawn.asked(AGENT)) == (service.clock(), service.clock())


@pytest.mark.parametrize("who", [EXPERT, SCREEN, AGENT, Staff(account="anni", role=Role.ADMIN)], ids=lambda who: str(who.role))
async def test_nobody_else_may(service: Service, who: Person) -> None:
    with pytest.raises(NotAllowedError):
        await service.dawn.ask(who, ROOM)


@pytest.mark.parametrize("room", ["kaukola-1", "nowhere"])
async def test_who_may_not_know_of_a_room_may_not_ask_it(service: Service, room: str) -> None:
    far = Staff(account="kaija", role=Role.ADVISOR, point="kaukola")

    with pytest.raises(NotFoundError):
        await service.dawn.ask(ADVISOR, room)
    with pytest.raises(NotFoundError):
        await service.dawn.of_room(far, ROOM)


async def test_what_was_found_is_kept_with_what_only_the_server_knows(service: Service) -> None:
    await here(service)
    await service.dawn.report(AGENT, agents(disk=WARN), None)

    readiness, checks = await service.dawn.of_room(ADVISOR, ROOM)

    def check(code: CheckCode, result: CheckResult = OK) -> Check:
        return Check(code=code, result=result, at=service.clock())

    assert readiness is Readiness.READY
    assert set(checks.checks) == {
        check(CheckCode.SERVER_HTTP),
        check(CheckCode.DISK, WARN),
        check(CheckCode.AGENT_VERSION),
        check(CheckCode.SCREEN),
        check(CheckCode.CREDENTIAL),
    }


async def test_another_version_and_a_screen_that_is_closed_are_found(service: Service) -> None:
    await here(service, ROOM, Role.AGENT)
    await service.dawn.report(AGENT, Report(version="0.9", findings=[]), 3600.0)
    await service.dawn.report(SCREEN, Report(version="old", findings=[]), None)

    results = {check.code: (check.result, check.figure) for check in (await checks_of(service)).checks}

    assert results[CheckCode.AGENT_VERSION] == (FAILED, None)
    assert results[CheckCode.PAGE_VERSION] == (FAILED, None)
    # Its page has just told this.
    assert results[CheckCode.SCREEN] == (OK, None)
    assert results[CheckCode.CREDENTIAL] == (WARN, 1.0)


async def test_a_screen_that_is_closed_is_found(service: Service) -> None:
    await here(service, ROOM, Role.AGENT)

    await service.dawn.report(AGENT, agents(), 72 * 3600.0)

    results = {check.code: (check.result, check.figure) for check in (await checks_of(service)).checks}
    assert results[CheckCode.SCREEN] == (FAILED, None)
    assert results[CheckCode.CREDENTIAL] == (OK, 72.0)


async def test_the_newest_word_on_each_thing_counts(service: Service) -> None:
    await service.dawn.report(AGENT, agents(disk=FAILED), None)
    service.clock.advance(minutes=1)
    await service.dawn.report(AGENT, agents(disk=OK), None)
    service.clock.advance(days=20)
    await service.dawn.report(AGENT, agents(), None)

    (disk,) = [check for check in (await checks_of(service)).checks if check.code is CheckCode.DISK]
    assert disk.result is OK


async def test_a_device_tells_only_what_it_can_see(service: Service) -> None:
    with pytest.raises(NotAllowedError):
        await service.dawn.report(SCREEN, agents(), None)
    with pytest.raises(NotAllowedError):
        await service.dawn.report(AGENT, agents(screen=OK), None)


@pytest.mark.parametrize(("needed", "result"), [(True, FAILED), (False, WARN)])
async def test_a_speaker_that_cannot_be_heard_breaks_the_room_unless_told_otherwise(
    service: Service, needed: bool, result: CheckResult
) -> None:
    service.dawn._is_speaker_needed = needed
    heard = Finding(code=CheckCode.SPEAKER, result=FAILED, note=CheckNote.NOT_HEARD)

    await service.dawn.report(SCREEN, Report(version="abc", findings=[heard]), None)

    (speaker,) = [check for check in (await checks_of(service)).checks if check.code is CheckCode.SPEAKER]
    assert (speaker.result, speaker.note) == (result, CheckNote.NOT_HEARD)


async def test_rooms_may_be_left_to_people(service: Service) -> None:
    await here(service)
    service.dawn._before = timedelta(0)
    service.clock.now = DUE

    await service.dawn.sweep()

    assert await asked_rooms(service) == []
