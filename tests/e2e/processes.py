"""Real processes for whole-system tests: the demo as a person starts it, ended by pid."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PORTS = range(18_000, 30_000)


def free_port() -> int:
    """A port nobody listens on just now.

    It lies below those that systems give to clients: who knocks at a server that is being started again could else be
    connected with itself, and keep the server from its port.
    """
    for port in random.SystemRandom().sample(PORTS, 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


class Demo:
    """`etapalvelu demo` and what it printed."""

    def __init__(self, process: subprocess.Popen[str], data: Path, address: str) -> None:
        self.process = process
        self.data = data
        self.address = address
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._ready = threading.Event()
        self._readers = [
            threading.Thread(target=self._read, args=(process.stdout, self.lines), daemon=True),
            threading.Thread(target=self._read, args=(process.stderr, self.errors), daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def wait_ready(self, seconds: float) -> None:
        if not self._ready.wait(seconds):
            raise TimeoutError(f"the demo is not ready: {self.lines} {self.errors}")

    def place(self, name: str) -> str:
        """The address printed after e.g. `Room screen: `."""
        return next(line.partition(": ")[2] for line in self.lines if line.startswith(f"{name}: "))

    def stop(self, seconds: float = 15) -> int:
        """SIGTERM, then the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        for reader, stream in zip(self._readers, (self.process.stdout, self.process.stderr), strict=True):
            reader.join(5)
            if stream is not None:
                stream.close()
        return code

    def _read(self, stream: Iterator[str], into: list[str]) -> None:
        for line in stream:
            into.append(line.rstrip("\n"))
            if line == "ready\n":
                self._ready.set()
        self._ready.set()


@contextmanager
def running_demo(data: Path, *, rooms: int = 1, seconds: float = 40) -> Iterator[Demo]:
    """The demo from its first line to its end."""
    port = free_port()
    command = [sys.executable, "-m", "etapalvelu", "demo", "--port", str(port), "--data", str(data), "--rooms", str(rooms)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    demo = Demo(process, data, f"http://127.0.0.1:{port}")
    try:
        demo.wait_ready(seconds)
        yield demo
    finally:
        demo.stop()


def etapalvelu(*arguments: str, stdin: str = "", seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """One command of the program, run to its end."""
    return subprocess.run(
        [sys.executable, "-m", "etapalvelu", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


def children(pid: int) -> dict[int, list[str]]:
    """The process's own children and their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            stat = (entry / "stat").read_text()
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == pid:
            found[int(entry.name)] = [word.decode() for word in words if word]
    return found


def wait_until(holds: object, seconds: float) -> None:
    """Wait for `holds()` to be true, or fail."""
    end = time.monotonic() + seconds
    assert callable(holds)
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.05)
