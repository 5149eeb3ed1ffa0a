"""Faults put into real processes. `rig` is a server of the test's own (rig.py), `people` are its clients (people.py).

Each test is one fault of the table, and ends with `rig.agrees()`. How it is repeated:

* In `make test` every test runs once. A test that takes `lasting` gets the first number of its mark
  `@pytest.mark.lasting(1, 2, 10, 60)`: the short one, in seconds.
* In `make faults` (`REPEAT_FAULTS=1`) it runs for the numbers after the first, or for the only one: those up to 10 s
  SHORT_TIMES, longer ones LONG_TIMES; a test without `lasting` SHORT_TIMES, or LONG_TIMES when it is marked `slow`. At the
  end stands a table with N of each. `FAULT_TIMES=1` beside it repeats everything that often instead.

Tests that need the machine to themselves (media, network namespaces) are marked `alone`; of the others several run at a time,
for they wait most of it.
Where the machine has no network namespaces (they need root), the tests of the network are skipped and say so; what `make test`
leaves to `make faults` for its time says so too, with pytest's list of skipped tests at the end of the run.
"""

import os
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.mother import Mother
from tests.faults.mother import mother as having_imported
from tests.faults.people import People, people_of
from tests.faults.rig import Rig, prepare

REPEATED = os.environ.get("REPEAT_FAULTS") == "1"
SHORT_TIMES = int(os.environ.get("FAULT_TIMES", 20))
LONG_TIMES = int(os.environ.get("FAULT_TIMES", 3))
LONG_SECONDS = 10


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("lasting")
    if (mark is not None or REPEATED) and "again" not in metafunc.fixturenames:
        metafunc.fixturenames.append("again")
    if mark is not None:
        short, *long = mark.args
        seconds = (long or [short]) if REPEATED else [short]
        rows = [(number, time) for number in seconds for time in range(times(number))]
        metafunc.parametrize(("lasting", "again"), rows, ids=[f"{number}s-run{time}" for number, time in rows])
    elif REPEATED:
        slow = metafunc.definition.get_closest_marker("slow") is not None
        metafunc.parametrize("again", range(times(LONG_SECONDS + 1 if slow else 0)), ids=lambda run: f"run{run}")


def times(seconds: float) -> int:
    """How often a fault of that length is put in."""
    if not REPEATED:
        return 1
    return SHORT_TIMES if seconds <= LONG_SECONDS else LONG_TIMES


@pytest.fixture
def again() -> int:
    """Which repetition it is, from 0; 0 when tests run once."""
    return 0


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with rooms, people and tokens, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder)
    return folder


@pytest.fixture(scope="session")
def mother() -> Iterator[Mother]:
    with having_imported() as made:
        yield made


@pytest.fixture
def rig(tmp_path: Path, prepared: Path, mother: Mother) -> Iterator[Rig]:
    made = Rig(tmp_path / "rig", prepared, mother=mother)
    yield made
    made.end()


@pytest.fixture
async def people(rig: Rig) -> AsyncIterator[People]:
    async with people_of(rig) as everybody:
        yield everybody


# The table at the end


@dataclass
class Row:
    passed: int = 0
    failed: int = 0
    seconds: list[float] = field(default_factory=list)


_rows: dict[str, Row] = defaultdict(Row)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    name = _fault(report.nodeid)
    if report.when == "call" and not report.skipped:
        row = _rows[name]
        row.passed += report.passed
        row.failed += report.failed
        row.seconds.append(report.duration)
    elif report.failed:
        _rows[name].failed += 1


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not REPEATED or not _rows:
        return
    terminalreporter.section("faults")
    terminalreporter.write_line(f"{'fault':<96} {'N':>4} {'held':>5} {'median s':>9} {'longest':>8}")
    for name, row in sorted(_rows.items()):
        times = sorted(row.seconds) or [0.0]
        number = row.passed + row.failed
        figures = f"{number:>4} {row.passed:>5} {times[len(times) // 2]:>9.1f} {times[-1]:>8.1f}"
        terminalreporter.write_line(f"{name:<96} {figures}")
    total, held = sum(row.passed + row.failed for row in _rows.values()), sum(row.passed for row in _rows.values())
    terminalreporter.write_line(f"{held} of {total} runs held, {len(_rows)} kinds of fault")


def _fault(nodeid: str) -> str:
    """The test's name as a sentence, with what it was given (how long its fault lasted, say) but for which run it was."""
    name, _, parameters = nodeid.rpartition("::")[2].partition("[")
    given = [one for one in parameters.rstrip("]").split("-") if not re.fullmatch(r"run\d+", one)]
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words} ({'-'.join(given)})" if any(given) else words
