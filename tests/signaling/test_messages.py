import json
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.call import MAY_SEND
from signaling.errors import PeerError
from signaling.messages import (
    _FROM_PEER_TYPES,
    _FROM_SERVER_TYPES,
    MAX_MESSAGE_BYTES,
    Bye,
    Candidate,
    FromPeer,
    FromServer,
    Hello,
    Note,
    decode_from_peer,
    decode_from_server,
    encode,
)
from tests.signaling.samples import HOST, SDP, WIRE, same_json, wire

FROM_SERVER_SAMPLES = {
    "welcome", "seat_joined", "seat_left", "seat_promised",
    "description-from", "candidate-from", "restart-from", "call_closed", "error",
}  # fmt: skip
SAMPLES = {path.stem for path in WIRE.glob("*.json") if not path.stem.startswith(("document-", "text"))}


def tag(kind: type) -> str:
    return str(msgspec.inspect.type_info(kind).tag)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(SAMPLES - FROM_SERVER_SAMPLES))
def test_a_sample_from_a_peer_reads_and_writes_back(name: str) -> None:
    assert same_json(encode(decode_from_peer(wire(name))), wire(name))


@pytest.mark.parametrize("name", sorted(FROM_SERVER_SAMPLES))
def test_a_sample_from_the_server_reads_and_writes_back(name: str) -> None:
    message = decode_from_server(wire(name))

    assert message is not None
    assert same_json(encode(message), wire(name))


def test_every_message_class_has_a_sample() -> None:
    peers = {type(decode_from_peer(wire(name))) for name in SAMPLES - FROM_SERVER_SAMPLES}
    servers = {type(decode_from_server(wire(name))) for name in FROM_SERVER_SAMPLES}

    assert peers == set(get_args(FromPeer))
    assert servers == set(get_args(FromServer))


def test_the_lists_of_types_are_those_of_the_classes() -> None:
    assert {tag(kind) for kind in get_args(FromPeer)} == _FROM_PEER_TYPES
    assert {tag(kind) for kind in get_args(FromServer)} == _FROM_SERVER_TYPES


def test_every_message_and_note_has_its_row_of_seats_that_may_send_it() -> None:
    assert set(MAY_SEND) == {*get_args(FromPeer), *get_args(Note)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "bad_message"),
        ("{", "bad_message"),
        ("[]", "bad_message"),
        ("null", "bad_message"),
        ('{"type": 3}', "bad_message"),
        ('{"no": "type"}', "bad_message"),
        ('{"type": "shout"}', "unknown_type"),
        ('{"type": "welcome"}', "unknown_type"),
        ('{"type": "bye", "why": "tired"}', "bad_message"),
        ('{"type": "hello"}', "bad_message"),
        ('{"type": "hello", "ticket": "a", "resume": "b"}', "bad_message"),
        ('{"type": "hello", "ticket": ""}', "bad_message"),
        ('{"type": "restart", "to": "kitchen", "generation": 1}', "bad_message"),
        ('{"type": "restart", "to": "room", "generation": 0}', "bad_message"),
        ('{"type": "restart", "to": "room", "generation": "1"}', "bad_message"),
        ('{"type": "restart", "to": "room", "generation": 1.5}', "bad_message"),
        ('{"type": "quality", "peer": "room", "generation": 1, "stats": [{"type": "inbound-rtp", "ip": "x"}]}',
         "bad_message"),
        ('{"type": "noted", "note": {"kind": "sang"}}', "bad_message"),
        ('{"type": "noted", "note": {"kind": "resumed", "peer": "room", "gap_ms": -1}}', "bad_message"),
        ("[" * 5 + "]" * 5, "too_deep"),
        ("[" * 30_000, "too_deep"),
        ('"' + '\\"' * 30_000, "bad_message"),
        ('{"type": "hello", "ticket": "\\ud800"}', "bad_message"),
        (json.dumps({"type": "hello", "ticket": "a" * MAX_MESSAGE_BYTES}), "too_big"),
    ],
)  # fmt: skip
def test_what_is_not_a_message_is_refused_with_its_code(text: str, code: str) -> None:
    with pytest.raises(PeerError) as refused:
        decode_from_peer(text)

    assert refused.value.code == code


def test_brackets_inside_strings_are_no_depth() -> None:
    assert decode_from_peer('{"type": "hello", "ticket": "[[[[[[{\\"{{"}') == Hello(ticket='[[[[[[{"{{')


def test_a_bad_field_is_named() -> None:
    with pytest.raises(PeerError) as refused:
        decode_from_peer('{"type": "restart", "to": "room", "generation": 0}')

    assert "$.generation" in refused.value.text


def test_the_end_of_candidates_may_be_null() -> None:
    assert decode_from_peer(wire("candidate-end")) == Candidate(to="expert", generation=1, candidate=None)


@pytest.mark.parametrize(
    "sdp",
    [
        "",
        "hello",
        "v=0\r\ns=-\r\n",
        SDP + "x\r\n",
        SDP + "a=\r\n",
        SDP + "a=b\x00c\r\n",
        SDP + "a=" + "x" * 5000 + "\r\n",
        SDP + "a=x\r\n" * 20_000,
        SDP + "a=candidate:1 1 udp nonsense\r\n",
        SDP.replace("v=0", "v=1"),
    ],
)
def test_what_is_no_session_description_is_refused(sdp: str) -> None:
    text = json.dumps({"type": "description", "to": "room", "generation": 1, "description": {"type": "offer", "sdp": sdp}})

    with pytest.raises(PeerError) as refused:
        decode_from_peer(text)

    assert refused.value.code in {"bad_message", "too_big"}


@pytest.mark.parametrize("text", ["", "end-of-candidates", HOST, f"a={HOST}"])
def test_a_candidate_of_the_rfc_is_taken(text: str) -> None:
    message = {"type": "candidate", "to": "room", "generation": 1, "candidate": {"candidate": text}}

    assert isinstance(decode_from_peer(json.dumps(message)), Candidate)


@pytest.mark.parametrize("text", ["candidate:", HOST + "\r\n", HOST.replace("host", "hosts"), HOST + " x" * 400])
def test_any_other_candidate_is_refused(text: str) -> None:
    message = {"type": "candidate", "to": "room", "generation": 1, "candidate": {"candidate": text}}

    with pytest.raises(PeerError) as refused:
        decode_from_peer(json.dumps(message))

    assert refused.value.code == "bad_message"


def test_a_message_of_a_later_server_is_passed_over() -> None:
    assert decode_from_server('{"type": "weather", "sky": "blue"}') is None


def test_a_new_field_of_a_later_server_is_passed_over() -> None:
    assert decode_from_server('{"type": "call_closed", "reason": "lost", "by": "x"}') == decode_from_server(
        '{"type": "call_closed", "reason": "lost"}'
    )


@pytest.mark.parametrize("text", ["", '{"type": "welcome"}', '{"type": 1}'])
def test_a_malformed_server_message_is_an_error(text: str) -> None:
    with pytest.raises(PeerError):
        decode_from_server(text)


def test_bye_is_its_type_alone() -> None:
    assert encode(Bye()) == '{"type":"bye"}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)
@given(
    st.text()
    | json_values.map(json.dumps)
    | st.fixed_dictionaries({"type": st.sampled_from(sorted(_FROM_PEER_TYPES))}, optional={"to": json_values}).map(json.dumps)
)
def test_no_text_does_anything_but_decode_or_raise_a_peer_error(text: str) -> None:
    try:
        message = decode_from_peer(text)
    except PeerError:
        return
    assert isinstance(message, get_args(FromPeer))
