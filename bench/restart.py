"""How long a server takes from its start to ready with a long log, after an ordinary end and after its power was cut.

    python -m bench.restart [--events 1000000] [--rounds 5]

The log is filled by SQL: as many sessions and events, of the size that real ones have, but with hashes that prove nothing: no
start reads them.
"""

import argparse
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults.rig import Rig, prepare

PROMISED_SECONDS = 2.0
EVENTS_OF_A_SESSION = 10
START_MS = 1_770_000_000_000

Row = tuple[object, ...]


def main(events: int, rounds: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder, "prepared"))
        rig = Rig(Path(folder, "rig"), Path(folder, "prepared"))
        fill(rig.database, events // EVENTS_OF_A_SESSION)
        try:
            ended = [_start(rig, rig.terminate) for _ in range(rounds)]
            killed = [_start(rig, rig.kill) for _ in range(rounds)]
        finally:
            rig.end()
        size = rig.database.stat().st_size / 1e6
    _say(f"start to ready with {events} events in the log ({size:.0f} MB), {rounds} rounds each")
    for name, seconds in (("after an ordinary end", ended), ("after SIGKILL", killed)):
        _say(f"  {name:<22} median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s")
    return 0 if max(ended + killed) <= PROMISED_SECONDS else 1


def fill(path: Path, sessions: int) -> None:
    """Closed sessions one a minute; the newest one in a thousand is still open in no room of ours."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    connection.executemany(f"INSERT INTO session VALUES ({','.join('?' * 12)})", _sessions(sessions))  # noqa: S608 - marks only
    connection.executemany("INSERT INTO event VALUES (?,?,?,?,?,?,?,?)", _events(sessions))
    connection.commit()
    connection.close()


def _sessions(number: int) -> Iterator[Row]:
    fold = '{"id":"%s","filled":"' + "x" * 700 + '"}'
    for one in range(number):
        at = START_MS + one * 60_000
        id_ = _id(one)
        yield (
            id_, EVENTS_OF_A_SESSION, "closed", "rantala", "rantala-1", None, "pensions", "advisor", "expert", at, at + 600_000,
            fold % id_,
        )  # fmt: skip


def _events(number: int) -> Iterator[Row]:
    types = ("opened", "joined", "joined", "claimed", "joined", "connected", "still_taken", "noted", "left", "closed")
    data = '{"raw_sha256":null,"sha256":"' + "0" * 64 + '","size":100000}'
    for one in range(number):
        prev = "0" * 64
        for seq, type_ in enumerate(types, start=1):
            hash_ = os.urandom(32).hex()
            yield (_id(one), seq, "2026-02-02T02:40:00.000Z", type_, "staff:expert", data, prev, hash_)
            prev = hash_


def _id(number: int) -> str:
    return f"filled-{number:015d}"


def _start(rig: Rig, end: Callable[[], object]) -> float:
    begun = time.monotonic()
    rig.start()
    seconds = time.monotonic() - begun

    end()
    return seconds


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a bench prints


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    sys.exit(main(given.events, given.rounds))
