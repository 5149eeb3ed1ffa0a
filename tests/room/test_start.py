"""How the agent starts and ends: pairing, refusals in one line, signals."""

import asyncio
import os
import signal
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from etapalvelu.room import agent as agent_module
from etapalvelu.room.agent import RoomError, RoomSettings, run_agent
from tests.room.cameras import until
from tests.room.service import CODE, Service

SEATED = ("joined", "camera", "x:room:r1:agent")
ROOT = Path(__file__).parents[2]


def settings(service: Service, tmp_path: Path, pair: str | None = None) -> RoomSettings:
    return RoomSettings(server=service.address, camera="test:", state_dir=tmp_path / "state", pair=pair)


async def refusal_of(wanted: RoomSettings) -> str:
    with pytest.raises(RoomError) as refusal:
        async with asyncio.timeout(10):
            await run_agent(wanted, asyncio.Event())
    return str(refusal.value)


async def run_until_seated(service: Service, wanted: RoomSettings) -> None:
    service.record.said.clear()
    service.turn_to("s1")
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_agent(wanted, stop))
        await until(lambda: SEATED in service.record.said)
        stop.set()


async def test_a_paired_agent_starts_again_without_a_code(service: Service, tmp_path: Path) -> None:
    await run_until_seated(service, settings(service, tmp_path, CODE))
    await run_until_seated(service, settings(service, tmp_path))
    # The same command line once more: the code is used up, the credential is there.
    await run_until_seated(service, settings(service, tmp_path, CODE))

    assert len(service.credentials) == 1
    assert stat.S_IMODE((tmp_path / "state" / "agent.json").stat().st_mode) == 0o600


async def test_an_agent_that_was_never_paired_says_so(service: Service, tmp_path: Path) -> None:
    assert await refusal_of(settings(service, tmp_path)) == (
        "this room agent is not paired: get a code from the admin page and start it with --pair CODE"
    )


async def test_a_wrong_code_is_told(service: Service, tmp_path: Path) -> None:
    words = await refusal_of(settings(service, tmp_path, "wrong"))

    assert words == "the pairing code was refused (unknown_code): get a new one"


async def test_a_code_for_a_screen_is_told(service: Service, tmp_path: Path) -> None:
    service.codes["screen-code"] = "screen"

    words = await refusal_of(settings(service, tmp_path, "screen-code"))

    assert words == "this pairing code is for a screen, not for a room agent"


async def test_pairing_waits_for_a_server_that_is_away(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent_module, "FIRST_RETRY_SECONDS", 0.02)
    service.trouble["/api/v1/devices/pair"] = [(503, {}), (503, {})]

    await run_until_seated(service, settings(service, tmp_path, CODE))

    assert len(service.credentials) == 1


async def test_a_revoked_agent_ends_and_says_what_to_do(service: Service, tmp_path: Path) -> None:
    wanted = settings(service, tmp_path, CODE)
    running = asyncio.ensure_future(refusal_of(wanted))
    await until(lambda: bool(service.statuses))

    service.credentials.clear()
    service.say("bye")

    assert await running == "the server does not know this room agent any more: pair it anew with --pair CODE"


async def test_reports_go_on_after_trouble(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent_module, "FIRST_RETRY_SECONDS", 0.02)
    monkeypatch.setattr(agent_module, "REPORT_SECONDS", 0.05)
    service.trouble["/api/v1/devices/status"] = [(503, {}), (409, {}), (503, {})]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(run_agent(settings(service, tmp_path, CODE), stop))
        await until(lambda: len(service.statuses) >= 3)
        stop.set()

    assert service.statuses[-1] == {"document_camera": "ok", "width": 3840, "height": 2160}


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        ("webcam:0", "camera source 'webcam:0' is not known"),
        ("file:/nowhere/letter.png", "camera source file:/nowhere/letter.png: there is no such file"),
        ("mjpeg:nonsense", "camera source of kind mjpeg needs an address"),
    ],
)
async def test_a_camera_that_can_never_work_is_told_in_one_line(
    service: Service, tmp_path: Path, camera: str, words: str
) -> None:
    line = await refusal_of(RoomSettings(server=service.address, camera=camera, state_dir=tmp_path))

    assert line.startswith(words)
    assert "\n" not in line


async def test_a_file_that_is_no_picture_is_told_in_one_line(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "letter.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0 broken")

    line = await refusal_of(RoomSettings(server=service.address, camera=f"file:{path}", state_dir=tmp_path))

    assert line.startswith(f"camera source file:{path} does not open: ")
    assert "\n" not in line


async def test_a_server_address_that_is_none_is_told(tmp_path: Path) -> None:
    line = await refusal_of(RoomSettings(server="palvelu", camera="test:", state_dir=tmp_path))

    assert line == "server address 'palvelu' must look like https://HOST or https://HOST:PORT"


async def test_a_ca_file_that_is_none_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"

    missing = await refusal_of(
        RoomSettings(server="https://localhost", camera="test:", state_dir=tmp_path, pair="1", ca_file=path)
    )
    path.write_text("no certificate")
    broken = await refusal_of(
        RoomSettings(server="https://localhost", camera="test:", state_dir=tmp_path, pair="1", ca_file=path)
    )

    assert missing == f"CA file {path} cannot be used: No such file or directory"
    assert broken.startswith(f"CA file {path} cannot be used: ")


async def test_a_given_context_is_what_is_trusted(tmp_path: Path) -> None:
    context = ssl.create_default_context()
    wanted = RoomSettings(server="https://localhost", camera="test:", state_dir=tmp_path, ssl_context=context)

    assert (await refusal_of(wanted)).startswith("this room agent is not paired")


def test_the_code_is_not_shown_with_the_settings(tmp_path: Path) -> None:
    wanted = RoomSettings(server="https://localhost", camera="test:", state_dir=tmp_path, pair="hemmelig")

    assert "hemmelig" not in repr(wanted)


PROGRAM = """
import asyncio, sys
from pathlib import Path
from etapalvelu.room.agent import RoomError, RoomSettings, run_agent
server, camera, state, code = sys.argv[1:]
try:
    asyncio.run(run_agent(RoomSettings(server=server, camera=camera, state_dir=Path(state), pair=code)))
except RoomError as error:
    print(error, file=sys.stderr)
    sys.exit(1)
"""


def started(service: Service, camera: str, state: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, service.address, camera, str(state), CODE],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.alone
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_means_bye_and_exit_zero(service: Service, tmp_path: Path, number: signal.Signals) -> None:
    service.turn_to("s1")
    program = started(service, "test:", tmp_path / "state")
    await until(lambda: SEATED in service.record.said, 20)

    before = time.monotonic()
    program.send_signal(number)
    out, err = await asyncio.to_thread(program.communicate, timeout=10)
    took = time.monotonic() - before

    assert (program.returncode, out, err) == (0, "", "")
    assert took < 3
    assert service.record.said[-1] == ("left", "camera", "bye")


async def test_a_refusal_is_one_line_and_exit_one(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42 broken" * 50)

    program = started(service, f"file:{path}", tmp_path / "state")
    out, err = await asyncio.to_thread(program.communicate, timeout=20)

    assert (program.returncode, out) == (1, "")
    assert err == f"camera source file:{path} does not open: the file is gone or is neither a picture nor a video\n"


async def test_a_refusal_by_the_server_is_one_line_too(service: Service, tmp_path: Path) -> None:
    service.codes.clear()

    program = started(service, "test:", tmp_path / "state")
    out, err = await asyncio.to_thread(program.communicate, timeout=20)

    assert (program.returncode, out) == (1, "")
    assert err == "the pairing code was refused (unknown_code): get a new one\n"
