from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.document import (
    HEADER_BYTES,
    MAX_MISSING_NAMED,
    MAX_STILL_BYTES,
    MIN_PAYLOAD_BYTES,
    DocumentError,
    StillAck,
    StillBegin,
    StillMissing,
)
from signaling.stills import MAX_UNDER_WAY, Joiner, Still, ack, begin, cut

DATA = bytes(range(256)) * 10


def announced(data: bytes = DATA, number: int = 1) -> StillBegin:
    return begin(id=f"s{number}", number=number, data=data, width=4, height=3, chunk_size=MIN_PAYLOAD_BYTES)


def test_a_still_arrives_as_it_was() -> None:
    still, joiner = announced(), Joiner()
    joiner.begin(still)

    for chunk in cut(still, DATA):
        joiner.chunk(chunk)
    whole = joiner.end("s1")

    assert whole == Still(begin=still, data=DATA)
    assert isinstance(whole, Still)
    assert ack(whole) == StillAck(id="s1", sha256=still.sha256)
    assert joiner.end("s1") is None


def test_missing_chunks_are_asked_for_and_sent_again() -> None:
    still, joiner = announced(), Joiner()
    joiner.begin(still)
    joiner.chunk(list(cut(still, DATA))[1])

    missing = joiner.end("s1")

    assert missing == StillMissing(id="s1", chunks=(0, 2))
    assert isinstance(missing, StillMissing)
    for chunk in cut(still, DATA, missing.chunks):
        joiner.chunk(chunk)
    assert joiner.end("s1") == Still(begin=still, data=DATA)


def test_a_wrong_sha256_asks_for_everything_again() -> None:
    still, joiner = announced(), Joiner()
    joiner.begin(still)
    for chunk in cut(still, DATA[::-1]):
        joiner.chunk(chunk)

    assert joiner.end("s1") == StillMissing(id="s1", chunks=(0, 1, 2))
    assert joiner.end("s1") == StillMissing(id="s1", chunks=(0, 1, 2))


def test_only_so_many_missing_chunks_are_named_at_once() -> None:
    data = bytes(MIN_PAYLOAD_BYTES) * (MAX_MISSING_NAMED + 1)
    joiner = Joiner()
    joiner.begin(announced(data))

    assert joiner.end("s1") == StillMissing(id="s1", chunks=tuple(range(MAX_MISSING_NAMED)))


def test_a_still_goes_on_over_a_new_connection_with_what_came_before() -> None:
    still, joiner = announced(), Joiner()
    joiner.begin(still)
    joiner.chunk(list(cut(still, DATA))[1])

    joiner.begin(begin(id="s1", number=9, data=DATA, width=4, height=3, chunk_size=MIN_PAYLOAD_BYTES))

    assert joiner.end("s1") == StillMissing(id="s1", chunks=(0, 2))


def test_another_picture_under_the_same_id_begins_anew() -> None:
    still, joiner = announced(), Joiner()
    joiner.begin(still)
    for chunk in cut(still, DATA):
        joiner.chunk(chunk)

    joiner.begin(begin(id="s1", number=1, data=DATA[::-1], width=4, height=3, chunk_size=MIN_PAYLOAD_BYTES))

    assert joiner.end("s1") == StillMissing(id="s1", chunks=(0, 1, 2))


def test_chunks_nobody_has_are_not_sent() -> None:
    assert list(cut(announced(), DATA, [7, 2, 2, -1])) == list(cut(announced(), DATA))[2:]


def test_the_oldest_still_gives_way_to_a_newer_one() -> None:
    joiner = Joiner()
    for number in range(MAX_UNDER_WAY + 1):
        joiner.begin(announced(number=number))

    assert joiner.end("s0") is None
    assert joiner.end("s1") == StillMissing(id="s1", chunks=(0, 1, 2))


def test_a_still_given_up_is_passed_over() -> None:
    still, joiner = announced(), Joiner()
    joiner.begin(still)

    joiner.forget("s1")
    joiner.chunk(next(cut(still, DATA)))

    assert joiner.end("s1") is None


@pytest.mark.parametrize(
    "chunk",
    [
        b"",
        bytes(HEADER_BYTES),
        b"\0\0\0\1\0\0\0\3" + bytes(1024),
        b"\0\0\0\1\0\0\0\0" + bytes(1023),
        b"\0\0\0\1\0\0\0\2" + bytes(1024),
    ],
)
def test_a_chunk_of_another_shape_is_refused(chunk: bytes) -> None:
    joiner = Joiner()
    joiner.begin(announced())

    with pytest.raises(DocumentError):
        joiner.chunk(chunk)


@pytest.mark.parametrize("size", [0, MAX_STILL_BYTES + 1])
def test_an_empty_or_huge_picture_is_no_still(size: int) -> None:
    with pytest.raises(DocumentError, match="bytes"):
        begin(id="s", number=1, data=bytes(size), width=1, height=1)


@settings(deadline=None)
@given(data=st.binary(min_size=1, max_size=9000), lost=st.sets(st.integers(0, 9)), order=st.randoms(use_true_random=False))
def test_any_picture_survives_loss_repetition_and_disorder(data: bytes, lost: set[int], order: Random) -> None:
    still, joiner = announced(data), Joiner()
    chunks = list(cut(still, data))
    arriving = [chunk for index, chunk in enumerate(chunks) if index not in lost] * 2
    order.shuffle(arriving)
    joiner.begin(still)

    for chunk in arriving:
        joiner.chunk(chunk)
    result = joiner.end("s1")
    if isinstance(result, StillMissing):
        for chunk in cut(still, data, result.chunks):
            joiner.chunk(chunk)
        result = joiner.end("s1")

    assert result == Still(begin=still, data=data)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=2000), max_size=5))
def test_no_bytes_do_anything_but_join_or_raise_a_still_error(chunks: list[bytes]) -> None:
    joiner = Joiner()
    joiner.begin(announced())
    for chunk in chunks:
        try:
            joiner.chunk(chunk)
        except DocumentError:
            continue
    assert isinstance(joiner.end("s1"), StillMissing)
