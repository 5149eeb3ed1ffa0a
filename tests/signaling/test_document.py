import pytest

from signaling.document import (
    MAX_CONTROL_CHARS,
    Capture,
    DocumentError,
    FromAgent,
    FromViewer,
    decode_from_agent,
    decode_from_viewer,
    encode,
    tag_in,
    tag_of,
)
from tests.signaling.samples import same_json, wire

FROM_AGENT = [
    "status",
    "page",
    "marks",
    "refused",
    "line",
    "still_progress",
    "still_begin",
    "still_begin-raw",
    "still_end",
    "still_failed",
]
FROM_VIEWER = [
    "capture",
    "still_ack",
    "still_missing",
    "still_dropped",
    "key_frame",
    "view",
    "view-turn",
    "point",
    "point_end",
    "mark",
    "mark_undo",
    "mark_clear",
]


@pytest.mark.parametrize("name", FROM_AGENT)
def test_a_sample_of_the_agent_reads_and_writes_back(name: str) -> None:
    message: FromAgent = decode_from_agent(wire(f"document-{name}"))

    assert same_json(encode(message), wire(f"document-{name}"))


@pytest.mark.parametrize(
    "name",
    FROM_VIEWER,
)
def test_a_sample_of_the_viewer_reads_and_writes_back(name: str) -> None:
    message: FromViewer = decode_from_viewer(wire(f"document-{name}"))

    assert same_json(encode(message), wire(f"document-{name}"))


@pytest.mark.parametrize(
    "text", ["", "{}", '{"type": "status"}', '{"type": "capture", "id": "../x"}', "x" * (MAX_CONTROL_CHARS + 1), "\ud800"]
)
def test_what_is_no_message_of_a_viewer_is_refused(text: str) -> None:
    with pytest.raises(DocumentError):
        decode_from_viewer(text)


def test_a_still_whose_number_of_chunks_is_wrong_is_refused() -> None:
    text = wire("document-still_begin").replace('"chunks": 2', '"chunks": 3')

    with pytest.raises(DocumentError, match="chunks"):
        decode_from_agent(text)


def test_the_capture_s_id_is_short() -> None:
    with pytest.raises(DocumentError):
        decode_from_viewer(encode(Capture(id="x" * 33)))


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ('{"type": "mark", "points": 7}', "mark"),
        ('{"type": "view", "view": "ceiling"}', "view"),
        ('{"type": "status"}', None),
        ('{"type": 7}', None),
        ("mark", None),
        ("\ud800", None),
    ],
)
def test_what_a_viewer_meant_is_known_even_where_its_message_is_wrong(text: str, tag: str | None) -> None:
    assert tag_in(text) == tag


def test_a_message_knows_its_type() -> None:
    assert tag_of(Capture(id="k1")) == "capture"
