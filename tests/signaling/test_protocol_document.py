"""docs/protocol.md against the classes and the samples: whoever changes one of the three changes all."""

import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from signaling import document, line, messages, sdp, stills
from signaling.document import FromAgent, FromViewer
from signaling.errors import CLOSE_CODES
from signaling.line import Limits
from signaling.messages import FromPeer, FromServer, Note, Stats
from signaling.pace import PACE_SECONDS
from tests.signaling.samples import WIRE

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def parts(text: str, level: str) -> dict[str, str]:
    """Headings of one level with what stands below each."""
    pieces = re.split(rf"^{level} (.+)$", text, flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


CHAPTERS = parts(DOCUMENT, "##")


def cells(text: str, column: int) -> list[str]:
    """The names in code type in one column of the tables."""
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row[column])]


def tag(kind: type) -> str:
    return str(msgspec.inspect.type_info(kind).tag)  # type: ignore[attr-defined]


def fields(kind: type) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def examples(text: str) -> list[object]:
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)\n```$", text, re.MULTILINE | re.DOTALL)]


def sample(name: str) -> object:
    return json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))


def section(chapter: str, kind: type) -> str:
    from_another = " from another seat" if kind.__name__ in {"DescriptionFrom", "CandidateFrom", "RestartFrom"} else ""
    return parts(CHAPTERS[chapter], "###")[f"`{tag(kind)}`{from_another}"]


KINDS = [
    *(("Peer to server", kind) for kind in get_args(FromPeer)),
    *(("Server to peer", kind) for kind in get_args(FromServer)),
    *(("The data channel `document`", kind) for kind in (*get_args(FromAgent), *get_args(FromViewer))),
]


@pytest.mark.parametrize(("chapter", "kind"), KINDS)
def test_every_message_has_its_section_with_all_its_fields_and_an_example(chapter: str, kind: type) -> None:
    text = section(chapter, kind)

    assert sorted(cells(text, 1)) == sorted(fields(kind))
    assert {example["type"] for example in examples(text) if isinstance(example, dict)} == {tag(kind)}


@pytest.mark.parametrize("chapter", ["Peer to server", "Server to peer", "The data channel `document`"])
def test_no_section_is_without_its_message(chapter: str) -> None:
    headings = {heading.split("`")[1] for heading in parts(CHAPTERS[chapter], "###") if heading.startswith("`")}

    assert headings == {tag(kind) for named, kind in KINDS if named == chapter}


def test_the_examples_are_the_samples() -> None:
    written = sorted(json.dumps(example, sort_keys=True) for example in examples(DOCUMENT))
    kept = sorted(json.dumps(sample(path.stem), sort_keys=True) for path in WIRE.glob("*.json"))

    assert written == kept


def test_every_note_is_described() -> None:
    text = parts(CHAPTERS["Peer to server"], "###")["`noted`"]

    assert re.findall(r"^`([a-z_]+)`: ", text, re.MULTILINE) == [tag(kind) for kind in get_args(Note)]


def test_the_allowed_names_of_stats_are_all_there() -> None:
    text = parts(CHAPTERS["Peer to server"], "###")["`quality`"]
    listed = re.search(r"Allowed names, all optional: (.*?)\. Any", text, re.DOTALL)

    assert listed is not None
    assert ["type", *re.findall(r"`(\w+)`", listed[1])] == fields(Stats)


def test_the_errors_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d+) \|", CHAPTERS["Errors and close codes"], re.MULTILINE)

    assert {code: int(number) for code, number in rows} == CLOSE_CODES


def test_the_limits_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| (.+?) \| (.+?) \|$", CHAPTERS["Limits"], re.MULTILINE))
    limits = Limits()

    assert rows == {
        "limit": "value",
        "message": f"{messages.MAX_MESSAGE_BYTES} bytes, {messages.MAX_DEPTH} levels",
        "`sdp`": f"{sdp.MAX_SDP_CHARS} characters, {sdp.MAX_SDP_LINE_CHARS} a line",
        "candidate": f"{sdp.MAX_CANDIDATE_CHARS} characters, as RFC 8839 writes it",
        "`stats`": f"{messages.MAX_STATS} objects",
        "ticket or token": "2048 characters",
        "messages from a peer, pings and pongs included": (
            f"{limits.messages_per_second:g} a second, bursts of {limits.messages_burst}"
        ),
        "`quality`, `interrupted`, `resumed` and `secured`, each about the same peer": f"one in {PACE_SECONDS:g} s",
        "hello": f"within {limits.hello_seconds:g} s",
        "unsent messages to a peer": (
            f"{limits.outbox_messages}, or {line.MAX_OUTBOX_CHARS // 2**20} MiB; each sent within {limits.send_seconds:g} s"
        ),
        "kept for a vacant or away seat": "newest generation of each other seat, 64 candidates",
        "a lost seat is kept": f"{limits.away_seconds:g} s",
        "resume token": f"{limits.resume_seconds / 3600:g} h",
    }


def test_the_limits_of_stills_are_those_of_the_code() -> None:
    text = CHAPTERS["The data channel `document`"]

    assert f"at most {document.MAX_STILL_BYTES}" in text
    assert f"{document.MIN_PAYLOAD_BYTES} to {document.MAX_PAYLOAD_BYTES}" in text
    assert f"at most {document.MAX_CHUNK_BYTES} bytes" in text
    assert f"at most {stills.MAX_UNDER_WAY} unfinished" in text
    assert f"at most {document.MAX_MISSING_NAMED} at once" in text
    assert f"at most {document.MAX_MARKS} marks" in text
    assert f"at most {document.MAX_POINTS} points" in text
    assert f"in all at most {document.MAX_ALL_POINTS}" in text
