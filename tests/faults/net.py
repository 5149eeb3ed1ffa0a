"""A network of the test's own: places that are network namespaces, a router between them, and faults on their lines.

    with Net(("server", "room", "expert"), lag={"room": 0.15}) as net:
        net.popen("server", ["python", "-m", "etapalvelu", ...])
        net.fault("room", cut=True)             # nothing goes either way, and no machine sees its carrier go
        net.fault("room", loss=5)               # of a hundred packets, each way
        net.fault("room", udp=False)            # only TCP goes through
        net.fault("room", kbit=300)             # each way
        net.fault("room")                       # all is well

Needs root. Everything is gone after the block, also what still ran in the places.
"""

import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

COMMAND_SECONDS = 10
LAG = Path(__file__).with_name("lag.py")
# Names of namespaces are the whole machine's.
PREFIX = "etapalvelu"


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong with a place's line."""

    cut: bool = False
    loss: int = 0
    udp: bool = True
    kbit: int = 0


@functools.cache
def impossible() -> str:
    """Why this machine cannot have such a network; empty when it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    name = f"{PREFIX}-{os.getpid()}-try"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS)
    if made.returncode != 0:
        return f"network namespaces are not permitted: {made.stderr.strip()}"
    try:
        for command in (["nft", "list", "ruleset"], ["tc", "qdisc", "show"]):
            tried = subprocess.run(
                [*_inside(name), *command], capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS
            )
            if tried.returncode != 0:
                return f"{command[0]} does not work here: {tried.stderr.strip()}"
    finally:
        _run("ip", "netns", "delete", name)
    return ""


class Net:
    """`lag`: by place, the seconds every packet takes more, each way."""

    def __init__(self, places: Sequence[str], *, lag: Mapping[str, float] | None = None) -> None:
        self.places = tuple(places)
        self._lag = dict(lag or {})
        self._faults: dict[str, Fault] = {}
        self._running: list[subprocess.Popen[Any]] = []
        self._made: list[str] = []

    def __enter__(self) -> Self:
        try:
            self._make("router")
            self._in("router", "sysctl", "-qw", "net.ipv4.ip_forward=1")
            for place in self.places:
                self._connect(place)
            self._rule()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def address(self, place: str) -> str:
        return f"10.77.{self.places.index(place) + 1}.2"

    @property
    def network(self) -> str:
        """Every place is in it."""
        return "10.77.0.0/16"

    def ahead(self, place: str) -> list[str]:
        """What stands before a command that is to run in the place."""
        return _inside(self._name(place))

    def popen(self, place: str, command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a program in the place; it does not outlive the network."""
        started: subprocess.Popen[Any] = subprocess.Popen([*self.ahead(place), *command], **options)
        self._running.append(started)
        return started

    def fault(self, place: str, *, cut: bool = False, loss: int = 0, udp: bool = True, kbit: int = 0) -> None:
        """What is wrong with the place's line from now on, and nothing else."""
        before = self._faults.get(place, Fault())
        self._faults[place] = Fault(cut=cut, loss=loss, udp=udp, kbit=kbit)
        self._rule()
        if kbit != before.kbit:
            self._shape(place, kbit)

    def heal(self) -> None:
        """All lines are well."""
        for place in self.places:
            if self._faults.get(place, Fault()) != Fault():
                self.fault(place)

    def close(self) -> None:
        for process in self._running:
            end(process)
        for name in self._made:
            for pid in _pids(name):
                _signal(pid, signal.SIGKILL)
            subprocess.run(["ip", "netns", "delete", name], capture_output=True, check=False, timeout=COMMAND_SECONDS)
        self._made.clear()
        self._running.clear()

    def _connect(self, place: str) -> None:
        """A line from the place's `eth0` to the router's interface of its name."""
        self._make(place)
        where, number = self._name(place), self.places.index(place) + 1
        if place in self._lag:
            between = self._make(f"{place}-line")
            self._pair(where, "eth0", between, "left")
            self._pair(between, "right", self._name("router"), place)
            for name, interface in ((where, "eth0"), (between, "left"), (between, "right"), (self._name("router"), place)):
                _run(*_inside(name), sys.executable, str(LAG), interface)
            self.popen(f"{place}-line", [sys.executable, str(LAG), "left", "right", str(self._lag[place])])
        else:
            self._pair(where, "eth0", self._name("router"), place)
        self._in("router", "ip", "address", "add", f"10.77.{number}.1/24", "dev", place)
        self._in(place, "ip", "address", "add", f"10.77.{number}.2/24", "dev", "eth0")
        self._in(place, "ip", "route", "add", "default", "via", f"10.77.{number}.1")

    def _pair(self, one: str, interface: str, other: str, peer: str) -> None:
        _run("ip", "link", "add", interface, "netns", one, "type", "veth", "peer", "name", peer, "netns", other)
        _run(*_inside(one), "ip", "link", "set", interface, "up")
        _run(*_inside(other), "ip", "link", "set", peer, "up")

    def _make(self, place: str) -> str:
        name = self._name(place)
        _run("ip", "netns", "add", name)
        self._made.append(name)
        # Only what the test knows of: no addresses of IPv6.
        _run(*_inside(name), "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1")
        _run(*_inside(name), "ip", "link", "set", "lo", "up")
        return name

    def _name(self, place: str) -> str:
        return f"{PREFIX}-{os.getpid()}-{place}"

    def _in(self, place: str, *command: str) -> None:
        _run(*self.ahead(place), *command)

    def _rule(self) -> None:
        """Write down all faults anew, at one stroke."""
        rules = []
        for place, fault in self._faults.items():
            for side in (f'iifname "{place}"', f'oifname "{place}"'):
                if fault.cut:
                    rules.append(f"{side} drop")
                if not fault.udp:
                    rules.append(f"{side} meta l4proto udp drop")
                if fault.loss:
                    rules.append(f"{side} numgen random mod 100 < {fault.loss} drop")
        table = [
            "table ip faults {",
            "chain forward {",
            "type filter hook forward priority 0; policy accept;",
            *rules,
            "}",
            "}",
        ]
        text = "\n".join(["table ip faults", "delete table ip faults", *table, ""])
        _run(*self.ahead("router"), "nft", "-f", "-", stdin=text)

    def _shape(self, place: str, kbit: int) -> None:
        for where, interface in (("router", place), (place, "eth0")):
            if kbit:
                rate = ("tbf", "rate", f"{kbit}kbit", "burst", "8kb", "latency", "300ms")
                self._in(where, "tc", "qdisc", "replace", "dev", interface, "root", *rate)
            else:
                self._in(where, "tc", "qdisc", "delete", "dev", interface, "root")


def end(process: subprocess.Popen[Any], seconds: float = 3.0) -> None:
    """SIGTERM, and SIGKILL for one that does not go."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(seconds)
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def wait_for_text(path: Path, text: str, process: subprocess.Popen[Any], seconds: float) -> None:
    """Until the file holds it; fails when the process ends before, or the time does."""
    last = time.monotonic() + seconds
    while text not in (said := path.read_text(errors="replace") if path.exists() else ""):
        assert process.poll() is None, f"ended with {process.returncode}: {said[-2000:]}"
        assert time.monotonic() < last, f"no {text!r} within {seconds} s: {said[-2000:]}"
        time.sleep(0.05)


def _inside(name: str) -> list[str]:
    return ["nsenter", f"--net=/run/netns/{name}", "--"]


def _run(*command: str, stdin: str = "") -> None:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()} {stdin}")


def _pids(name: str) -> list[int]:
    found = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True, check=False, timeout=COMMAND_SECONDS)
    return [int(word) for word in found.stdout.split()]


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
