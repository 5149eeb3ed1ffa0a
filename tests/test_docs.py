"""What can rot in the documents: the state diagram, the names of commands and files."""

import re
from pathlib import Path

import pytest

from etapalvelu.cli import run
from etapalvelu.domain.events import event_type
from etapalvelu.domain.session import TRANSITIONS
from etapalvelu.domain.themes import THEMES

ROOT = Path(__file__).parents[1]
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "docs/operating.md", "docs/protocol.md", "CHANGELOG.md")


def test_the_state_diagram_is_the_table() -> None:
    moves = [
        f"{state} --{event_type(event)}--> {after}"
        for state, row in TRANSITIONS.items()
        for event, after in row.items()
        if after is not state
    ]

    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    shown = text.partition("<!-- states")[2].partition("```\n")[2].partition("```")[0].splitlines()
    assert sorted(shown) == sorted(moves)


def test_the_protocol_names_every_theme() -> None:
    text = (ROOT / "docs/protocol.md").read_text(encoding="utf-8")

    listed = text.partition("`theme` is one of ")[2].partition(" (known")[0]
    assert re.findall(r"`([a-z-]+)`", listed) == [theme.key for theme in THEMES]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_to_a_file_leads_somewhere(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")

    links = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (ROOT / name).parent.joinpath(link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_named_exists(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")

    named = set(re.findall(r"etapalvelu ((?:log|token|staff) \w+|demo|serve|room|check|migrate)\b", text))
    for command in sorted(named):
        with pytest.raises(SystemExit) as end:
            run([*command.split(), "--help"])
        assert end.value.code == 0
    capsys.readouterr()


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))

    named = {
        target
        for name in DOCUMENTS
        for target in re.findall(r"`?make ([a-z]+)", (ROOT / name).read_text(encoding="utf-8"))
        if re.search(rf"^make {target}\b|`make {target}\b", (ROOT / name).read_text(encoding="utf-8"), re.M)
    }
    assert named - targets == set()


def test_architecture_stays_short_enough_to_be_read() -> None:
    assert len((ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").splitlines()) <= 250
