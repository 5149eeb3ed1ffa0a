"""A point costs nothing unless a test lit its fuse, and then ends the process at the moment it names."""

import signal
import subprocess
import sys

import pytest

from etapalvelu.faultpoints import POINTS, VARIABLE, Fuse, lit

SCRIPT = "from etapalvelu.faultpoints import reach; reach('commit.before', 'opened'); print('alive')"

REACHED = (("commit.before", "opened"), ("commit.after", "opened"), ("commit.after", "closed"), ("reply.before", "close"))


class Deaths:
    def __init__(self) -> None:
        self.number = 0

    def __call__(self) -> None:
        self.number += 1


@pytest.mark.parametrize(
    ("text", "dies_at"),
    [
        ("commit.after", ("commit.after", "opened")),
        ("commit.after:closed", ("commit.after", "closed")),
        ("commit.after::2", ("commit.after", "closed")),
        ("reply.before:close", ("reply.before", "close")),
    ],
)
def test_the_process_ends_at_the_point_that_is_named(text: str, dies_at: tuple[str, str]) -> None:
    deaths = Deaths()
    fuse = Fuse(text, deaths)
    died = []
    for point, kind in (
        ("commit.before", "opened"),
        ("commit.after", "opened"),
        ("commit.after", "closed"),
        ("reply.before", "close"),
    ):
        before = deaths.number
        fuse.reach(point, kind)
        if deaths.number != before:
            died.append((point, kind))

    assert died == [dies_at]


@pytest.mark.parametrize("text", ["", "commit", "commit.during", "commit.before:opened:soon"])
def test_what_names_no_point_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=VARIABLE):
        Fuse(text, Deaths())


def test_without_the_variable_nothing_happens() -> None:
    reach = lit({})
    for point in POINTS:
        reach(point, "opened")

    assert reach is lit({VARIABLE: ""})


@pytest.mark.parametrize(("fuse", "code"), [("commit.before:opened", -signal.SIGKILL), ("commit.before:closed", 0)])
def test_it_is_the_end_of_the_process_itself(fuse: str, code: int) -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], env={VARIABLE: fuse}, capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (code, "" if code else "alive\n")
