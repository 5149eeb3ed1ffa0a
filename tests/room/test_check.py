"""The room PC looks at itself: against the real server, and with whatever may be wrong."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from etapalvelu.domain.people import Role
from etapalvelu.domain.readiness import REPORTED_BY, CheckCode, CheckNote, CheckResult
from etapalvelu.room import agent as agent_module
from etapalvelu.room import check as check_module
from etapalvelu.room import check_camera, check_line, check_machine, check_routes
from etapalvelu.room.agent import RoomError, RoomSettings, check_room
from etapalvelu.room.camera import Camera
from etapalvelu.room.check import RoomCheck
from etapalvelu.room.check_camera import camera_findings
from etapalvelu.room.check_machine import machine_findings
from etapalvelu.room.check_routes import route_findings
from etapalvelu.room.finding import CODES, Finding, Result, at_least, at_most
from etapalvelu.room.letter import Letter
from etapalvelu.room.live import Event
from etapalvelu.room.pixels import Pixels
from etapalvelu.room.relay import RelayError
from etapalvelu.room.server import IceServer, Server, client_session
from etapalvelu.room.source import parse_source
from tests.conftest import ADVISOR, AGENT, make_service
from tests.doorstep import Doorstep, make_whole
from tests.room.cameras import Script, pixels, until

TURN = IceServer(urls=["turn:t:3478", "turn:t:3478?transport=tcp", "turns:t:5349"], username="u", credential="c")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_camera, "WATCH_SECONDS", 0.4)
    monkeypatch.setattr(check_camera, "OPENING_SECONDS", 2.0)
    monkeypatch.setattr(check_line, "MEASURED_SECONDS", 0.3)
    monkeypatch.setattr(check_line, "ASKED_TIMES", 2)
    monkeypatch.setattr(check_module, "TELL_AGAIN_SECONDS", 0.01)


@pytest.fixture
async def whole(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Doorstep]:
    """The real server; the room's other tests have a smaller one of their own."""
    made = await make_whole(await make_service(engine), tmp_path)
    yield made
    await made.client.close()


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    made = Camera(parse_source("test:"))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def room(whole: Doorstep, camera: Camera, tmp_path: Path) -> AsyncIterator[RoomCheck]:
    secret = (await whole.login(AGENT)).secret
    async with client_session(None) as http:
        made = RoomCheck(
            camera,
            server=Server(http, whole.address, secret),
            state_dir=tmp_path,
            trust=None,
            now=whole.service.clock,
        )
        yield made
        await made.close()


def results(findings: list[Finding]) -> dict[str, str]:
    return {finding.code: finding.result for finding in findings}


def test_the_codes_are_the_servers() -> None:
    assert set(CODES) == REPORTED_BY[Role.AGENT]
    assert set(get_args(Result)) == set(CheckResult)


@pytest.mark.parametrize(("figure", "more", "less"), [(10, "ok", "failed"), (5, "warn", "warn"), (1, "failed", "ok")])
def test_figures_are_graded(figure: float, more: str, less: str) -> None:
    assert at_least("disk", figure, good=10, enough=5).result == more
    assert at_most("load", figure, good=1, enough=5).result == less


async def test_everything_is_looked_at_and_told_to_the_server(room: RoomCheck, whole: Doorstep) -> None:
    found = await room.findings()
    told = await room.tell(found)

    said = results(found)
    listed = await (await whole.get("/rooms/rantala-1/checks", ADVISOR)).json()
    kept = {check["code"]: check["result"] for check in listed["checks"]}
    assert [finding.code for finding in found] == list(CODES)
    for code in (
        "document_camera_opens",
        "document_camera_light",
        "document_camera_sharp",
        "document_camera_still",
        "bandwidth_up",
        "bandwidth_down",
        "loss",
        "clock",
        "disk",
    ):
        assert said[code] == "ok", found
    assert (said["relay_udp"], said["relay_tcp"], said["relay_tls"]) == ("skipped",) * 3
    assert said["server_socket"] in ("ok", "warn")
    assert told
    assert {code: kept[code] for code in CODES} == said
    assert kept["agent_version"] == "ok"


async def test_a_room_is_looked_at_once_from_the_command_line(whole: Doorstep, tmp_path: Path) -> None:
    code = await whole.access.add_pairing_code("rantala-1", Role.AGENT)
    settings = RoomSettings(server=whole.address, camera="test:", state_dir=tmp_path / "state", pair=code)

    found, is_told = await check_room(settings)

    listed = await (await whole.get("/rooms/rantala-1/checks", ADVISOR)).json()
    kept = {check["code"]: check["result"] for check in listed["checks"]}
    assert is_told
    assert {code: kept[code] for code in CODES} == results(found)


async def test_a_pairing_code_is_not_waited_for_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "PAIR_SECONDS", 0.1)
    settings = RoomSettings(server="http://127.0.0.1:9", camera="test:", state_dir=tmp_path, pair="123456")

    with pytest.raises(RoomError, match="does not answer, so the pairing code cannot be used"):
        await check_room(settings)


async def test_a_server_that_is_away_is_told_and_the_rest_is_looked_at(room: RoomCheck, whole: Doorstep) -> None:
    await whole.client.close()

    said = results(await room.findings())

    assert (said["server_http"], said["server_socket"], said["bandwidth_up"]) == ("failed", "skipped", "skipped")
    assert (said["document_camera_still"], said["disk"]) == ("ok", "ok")
    assert await room.tell([]) is False


async def test_a_report_that_is_refused_is_not_told_again(room: RoomCheck) -> None:
    assert await room.tell([Finding(code="speaker", result="ok")]) is False


async def test_the_server_asks_once_for_each_check(room: RoomCheck, whole: Doorstep, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0

    async def findings() -> list[Finding]:
        nonlocal looks
        looks += 1
        return [Finding(code="server_http", result="ok"), Finding(code="disk", result="failed", figure=1.0)]

    monkeypatch.setattr(room, "findings", findings)
    await whole.service.dawn.ask(ADVISOR, "rantala-1")
    for data in ('{"run":"one"}', '{"run":"one"}', "broken", '{"run":1}'):
        room.hear(Event("check", data))
    room.hear(Event("camera", "{}"))

    async with asyncio.timeout(10):
        while await whole.service.dawn.asked(AGENT) is not None:  # noqa: ASYNC110 - the store tells nobody here
            await asyncio.sleep(0.02)
    assert looks == 1


async def test_a_session_goes_before_a_check(room: RoomCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = asyncio.Event()
    ended: list[str] = []

    async def findings() -> list[Finding]:
        begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return []

    monkeypatch.setattr(room, "findings", findings)
    room.hear(Event("check", '{"run":"one"}'))
    await asyncio.wait_for(begun.wait(), 5)
    room.attend(True)
    await until(lambda: ended == ["cancelled"])
    begun.clear()
    room.hear(Event("check", '{"run":"two"}'))
    refused = begun.is_set()
    room.attend(False)
    room.hear(Event("check", '{"run":"two"}'))
    await asyncio.wait_for(begun.wait(), 5)

    assert not refused


async def test_a_part_that_takes_too_long_is_told(room: RoomCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(*_given: object, **_named: object) -> list[Finding]:
        await asyncio.sleep(60)
        return []

    monkeypatch.setattr(check_module, "PART_SECONDS", 0.05)
    monkeypatch.setattr(check_module, "camera_findings", never)
    monkeypatch.setattr(check_module, "route_findings", never)

    said = results(await room.findings())

    assert (said["document_camera_opens"], said["direct_path"], said["disk"]) == ("failed", "failed", "ok")


# The camera


async def seen(script: Script, kind: str = "mjpeg:http://camera/") -> dict[str, tuple[str, str | None]]:
    made = Camera(parse_source(kind), open_source=script.open)
    await made.start()
    try:
        await asyncio.sleep(0.1)
        return {finding.code: (finding.result, finding.note) for finding in await camera_findings(made)}
    finally:
        await made.stop()


async def test_a_camera_without_a_picture_is_one_finding_and_the_rest_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_camera, "OPENING_SECONDS", 0.2)

    said = await seen(Script())

    assert said.pop("document_camera_opens") == ("failed", "no_picture")
    assert set(said.values()) == {("skipped", "no_picture")}


async def test_a_frozen_camera_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_camera, "WATCH_SECONDS", 2.0)

    said = await seen(Script(then=Pixels(Letter(0).full())))

    assert said["document_camera_fresh"] == ("failed", "frozen")
    assert said["document_camera_still"] == ("failed", "no_picture")


async def test_a_covered_camera_is_told() -> None:
    said = await seen(Script(then=Pixels(np.zeros((1080, 1920, 3), np.uint8))), "test:")

    assert said["document_camera_light"] == ("failed", "black")
    assert said["document_camera_sharp"] == ("skipped", "black")


async def test_an_empty_table_has_nothing_to_judge_sharpness_by() -> None:
    said = await seen(Script(then=pixels(1920, 1080)), "test:")

    assert said["document_camera_sharp"] == ("skipped", "no_print")
    assert said["document_camera_light"] == ("ok", None)


async def test_a_blurred_picture_and_a_small_one_are_told() -> None:
    blurred = cv2.GaussianBlur(Letter(0).live(), (0, 0), 6.0)
    small = cv2.resize(np.asarray(blurred, np.uint8), (640, 360), interpolation=cv2.INTER_AREA)

    sharpness = await seen(Script(then=Pixels(np.asarray(blurred, np.uint8))), "test:")
    size = await seen(Script(then=Pixels(np.asarray(small, np.uint8))), "test:")

    assert sharpness["document_camera_sharp"][0] in ("warn", "failed")
    assert size["document_camera_still"] == ("failed", None)


# The ways to Kela


async def test_without_relays_only_the_direct_way_is_tried() -> None:
    said = {finding.code: (finding.result, finding.note) for finding in await route_findings([], relay_only=False)}

    assert said["direct_path"][0] in ("ok", "failed")
    assert [said[f"relay_{kind}"] for kind in ("udp", "tcp", "tls")] == [("skipped", "no_turn")] * 3


async def test_each_kind_of_relay_is_tried_by_itself() -> None:
    async def attempt(url: str, username: str, password: str, seconds: float) -> float:
        assert (username, password) == ("u", "c")
        if url == "turn:t:3478":
            return 21.4
        raise RelayError(url, "refused" if url.startswith("turn:") else "silent")

    found = await route_findings([TURN], relay_only=True, attempt=attempt)

    assert found == [
        Finding(code="direct_path", result="skipped", note="relays_only"),
        Finding(code="relay_udp", result="ok", figure=21.0),
        Finding(code="relay_tcp", result="failed", note="refused"),
        Finding(code="relay_tls", result="failed", note="no_answer"),
    ]


async def test_a_kind_that_is_not_named_is_skipped() -> None:
    async def attempt(url: str, username: str, password: str, seconds: float) -> float:
        return 1.0

    servers = [IceServer(urls="turn:t:3478"), IceServer(urls=["turn:nonsense:port"])]
    found = await route_findings(servers, relay_only=True, attempt=attempt)

    assert [(finding.result, finding.note) for finding in found[1:]] == [
        ("ok", None),
        ("skipped", "not_named"),
        ("skipped", "not_named"),
    ]


async def test_a_relay_that_sends_no_udp_back_leaves_no_direct_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async def attempt(url: str, username: str, password: str, seconds: float) -> float:
        raise RelayError(url, "silent")

    monkeypatch.setattr(check_routes, "DIRECT_SECONDS", 12.0)
    # A port nobody listens on.
    direct, *_ = await route_findings([IceServer(urls=["turn:127.0.0.1:9"])], relay_only=False, attempt=attempt)

    assert (direct.result, direct.note) in (("failed", "no_udp"), ("failed", "no_network"))


# The machine


def test_memory_is_read_where_the_system_tells_it(tmp_path: Path) -> None:
    told, untold = tmp_path / "told", tmp_path / "untold"
    told.write_text("MemTotal: 4000000 kB\nMemAvailable: 300000 kB\n")
    untold.write_text("MemTotal: 4000000 kB\n")

    assert machine_findings(tmp_path, told)[1] == Finding(code="memory", result="warn", figure=307.0)
    assert machine_findings(tmp_path, untold)[1] == Finding(code="memory", result="skipped", note="not_measured")
    assert machine_findings(tmp_path / "nowhere", told)[0] == Finding(code="disk", result="skipped", note="not_measured")


def test_every_note_of_the_room_is_known_to_the_server() -> None:
    folder = Path(check_machine.__file__).parent
    notes = {note for file in folder.glob("check*.py") for note in re.findall(r'note="([a-z_]+)"', file.read_text())}

    assert len(notes) > 8
    assert notes - set(CheckNote) == set()
    assert set(CODES) <= set(CheckCode)
