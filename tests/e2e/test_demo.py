"""The demo as a program: what it prints, how it ends, what it says when a part of it dies."""

import json
import os
import signal
import socket
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest

from etapalvelu.demo import free_of_picture
from tests.e2e.processes import Demo, children, etapalvelu, free_port, running_demo, wait_until

# Promised: once installed, the demo is ready within this time (the machine of the tests may be busy with other tests).
START_SECONDS = 15


@pytest.mark.alone
def test_it_starts_in_time_says_where_to_go_and_ends_cleanly(tmp_path: Path) -> None:
    begun = time.monotonic()
    with running_demo(tmp_path / "data", rooms=2) as demo:
        took = time.monotonic() - begun
        names = [line.partition(":")[0] for line in demo.lines]
        parts = children(demo.process.pid)
        code = demo.stop()

    assert names == ["Accounts", "Advisor", "Expert", "Supervisor", "Room screen", "Room screen 2", "ready"]
    assert took < START_SECONDS, took
    assert (len(parts), code, demo.errors) == (2, 0, [])
    assert not any(Path(f"/proc/{pid}").exists() for pid in parts)


def test_a_second_start_goes_on_where_it_was(tmp_path: Path) -> None:
    with running_demo(tmp_path / "data") as first:
        token = etapalvelu("token", "add", "advisor", "--data", str(first.data)).stdout.strip()
        opened = _call(first.address, "/api/v1/sessions", token, body=_SESSION)
    with running_demo(tmp_path / "data") as second:
        session = _call(second.address, f"/api/v1/sessions/{opened['id']}", token)

    assert (session["state"], second.errors) == ("waiting", [])
    assert _screen_code(first.place("Room screen")) == _screen_code(second.place("Room screen"))


@pytest.mark.parametrize(("word", "name"), [("serve", "server"), ("room", "room agent")])
def test_when_a_part_dies_it_ends_and_says_which(tmp_path: Path, word: str, name: str) -> None:
    with running_demo(tmp_path / "data") as demo:
        parts = children(demo.process.pid)
        victim = next(pid for pid, words in parts.items() if word in words)
        os.kill(victim, signal.SIGKILL)
        code = demo.process.wait(15)
        wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in parts), 10)
        demo.stop()

    assert code == 1
    assert demo.errors[-1] == f"etapalvelu: the {name} ended by itself (exit -9)"


def test_a_port_in_use_is_one_line_and_exit_1(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = etapalvelu("demo", "--port", str(port), "--data", str(tmp_path / "data"))

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"etapalvelu: --port {port}: Address already in use; choose another\n"


def test_a_second_demo_beside_the_first_is_refused_and_the_first_goes_on(demo: Demo) -> None:
    parts = children(demo.process.pid)

    second = etapalvelu("demo", "--port", str(free_port()), "--data", str(demo.data))

    assert (second.returncode, second.stdout) == (1, "")
    words = f"--data {demo.data}: another demo runs on it; end that one, or choose another folder"
    assert second.stderr == f"etapalvelu: {words}\n"
    assert (children(demo.process.pid), demo.errors) == (parts, [])


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_1(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")

    done = etapalvelu("demo", "--port", str(free_port()), "--data", str(tmp_path / "file"))

    assert done.returncode == 1
    assert done.stderr == f"etapalvelu: --data {tmp_path / 'file'}: cannot be written: File exists\n"


def test_the_log_of_a_running_demo_can_be_proved_and_exported(demo: Demo) -> None:
    token = etapalvelu("token", "add", "advisor", "--data", str(demo.data)).stdout.strip()
    opened = _call(demo.address, "/api/v1/sessions", token, body=_SESSION)
    _call(demo.address, f"/api/v1/sessions/{opened['id']}/close", token, body={"cause": "cancelled"})

    proved = etapalvelu("log", "verify", "--data", str(demo.data))
    exported = etapalvelu("log", "export", "--format", "jsonl", "--data", str(demo.data))

    lines = [json.loads(line) for line in exported.stdout.splitlines()]
    types = [line["type"] for line in lines if line["session"] == opened["id"]]
    assert (proved.returncode, proved.stdout) == (0, f"the log is whole: {len(lines)} entries\n")
    assert [name for name in types if name not in ("joined", "left")] == ["opened", "closed"]
    assert {tuple(line) for line in lines} == {("session", "seq", "at", "type", "actor", "data", "prev", "hash")}


@pytest.mark.parametrize(
    ("addresses", "without"),
    [
        (["127.0.0.1", ("::1", 0, 0)], True),
        (["127.0.0.1", ("fe80::1", 0, 2)], True),
        (["127.0.0.1", "192.0.2.2"], False),
        ([("2001:db8::2", 0, 0)], False),
    ],
)
def test_a_machine_with_loopback_alone_is_told_that_there_is_no_picture(
    addresses: list[str | tuple[str, int, int]], without: bool
) -> None:
    assert free_of_picture(addresses) is without


_SESSION = {"room": "rantala-1", "theme": "pensions", "language": "fi", "reason": "advice"}


def _call(address: str, path: str, token: str, body: Mapping[str, object] | None = None) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address + path, data=data, headers=headers)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
        answered: dict[str, str] = json.load(answer)
    return answered


def _screen_code(address: str) -> str:
    return address.partition("pair=")[2]
