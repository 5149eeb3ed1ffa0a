"""A process that has imported the program and forks itself for each command: importing is most of what a start takes.

    with mother() as ready:
        server = ready.start(["serve", "--config", "config.toml"], os.environ, Path("server.log"), Path("server.log"))
        server.wait(10)                  # a process of its own: pid, poll, wait, send_signal, kill, as of a Popen

Nothing but imports is done before the fork; what a command reads from its environment at import is read anew.
"""

import gc
import importlib
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from etapalvelu import cli, faultpoints

# What `serve` and `log` import when they run.
IMPORTED = (
    "aiosqlite",
    "etapalvelu.maintenance",
    "etapalvelu.serving",
    "sqlalchemy.dialects.sqlite.aiosqlite",
)
# How long imports and a fork may take on a busy machine, and the end of all.
FORK_SECONDS = 100.0
END_SECONDS = 30.0


class Child:
    """One command that runs, or has ended with `returncode`; a signal's number is negative."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._gone = threading.Event()

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if not self._gone.wait(timeout):
            raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Who is gone hears nothing."""
        if self.returncode is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def ended(self, code: int) -> None:
        self.returncode = code
        self._gone.set()


class Mother:
    """The process that forks, as the tests see it. One command is started at a time, from any thread."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lock = threading.Lock()
        self._born: SimpleQueue[Child] = SimpleQueue()
        self._children: dict[int, Child] = {}
        self._reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._reader.start()

    def start(
        self,
        arguments: Sequence[str],
        environ: Mapping[str, str],
        output: Path,
        errors: Path,
        limits: Mapping[int, int] | None = None,
    ) -> Child:
        """Start the program; what it writes is added to the files. `limits` are of `resource.RLIMIT_...`."""
        request = [list(arguments), dict(environ), str(output), str(errors), list((limits or {}).items())]
        with self._lock:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            return self._born.get(timeout=FORK_SECONDS)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(END_SECONDS)
        self._reader.join(END_SECONDS)

    def _read(self, told: IO[str]) -> None:
        """Lines: a pid alone was born, a pid with a code is gone."""
        for line in told:
            pid, *code = map(int, line.split())
            if code:
                self._children.pop(pid).ended(code[0])
            else:
                self._children[pid] = Child(pid)
                self._born.put(self._children[pid])
        told.close()


@contextmanager
def mother() -> Iterator[Mother]:
    """Nothing that was started outlives the block."""
    command = [sys.executable, "-m", "tests.faults.mother"]
    made = Mother(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    try:
        yield made
    finally:
        made.close()


# The process itself


class _Nursery:
    """Forks when told to, and tells of each end."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._selector.register(0, selectors.EVENT_READ)
        self._handles: dict[int, int] = {}
        self._rest = b""

    def run(self) -> list[str] | None:
        """In the child: the arguments it was born for. In the mother: None when nobody is there any more."""
        while True:
            for key, _ in self._selector.select():
                if key.fd in self._handles:
                    self._tell_end(key.fd)
                    continue
                told = os.read(0, 1 << 20)
                if not told:
                    self._kill_all()
                    return None
                *lines, self._rest = (self._rest + told).split(b"\n")
                for line in lines:
                    if born := self._fork(line):
                        return born

    def _fork(self, line: bytes) -> list[str] | None:
        arguments, environ, output, errors, limits = json.loads(line)
        pid = os.fork()
        if not pid:
            self._become(environ, output, errors)
            for what, number in limits:
                resource.setrlimit(what, (number, number))
            return list(arguments)
        handle = os.pidfd_open(pid)
        self._handles[handle] = pid
        self._selector.register(handle, selectors.EVENT_READ)
        print(pid, flush=True)  # noqa: T201 - it is how the tests hear of it
        return None

    def _become(self, environ: dict[str, str], output: str, errors: str) -> None:
        """A process with files, an environment and nothing of its mother's."""
        self._selector.close()
        for handle in self._handles:
            os.close(handle)
        for number, path, how in ((0, os.devnull, os.O_RDONLY), (1, output, _ADDING), (2, errors, _ADDING)):
            opened = os.open(path, how, 0o600)
            os.dup2(opened, number)
            os.close(opened)
        os.environ.clear()
        os.environ.update(environ)
        importlib.reload(faultpoints)

    def _tell_end(self, handle: int) -> None:
        self._selector.unregister(handle)
        os.close(handle)
        pid, status = os.waitpid(self._handles.pop(handle), 0)
        print(pid, os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 - it is how the tests hear of it

    def _kill_all(self) -> None:
        for pid in self._handles.values():
            os.kill(pid, signal.SIGKILL)


_ADDING = os.O_WRONLY | os.O_CREAT | os.O_APPEND


def main() -> int:
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()
    arguments = _Nursery().run()
    return 0 if arguments is None else cli.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
