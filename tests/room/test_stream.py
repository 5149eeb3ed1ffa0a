import asyncio

import numpy as np
import pytest
from av import Packet

from etapalvelu.room import stream as stream_module
from etapalvelu.room.camera import Frame
from etapalvelu.room.h264 import H264Encoder, VideoPacket
from etapalvelu.room.line import Line
from etapalvelu.room.pixels import Bgr
from etapalvelu.room.stream import MOST_WAITING, OLDEST_SECONDS, DocumentStream, Feed
from tests.room.cameras import until
from tests.room.hand import PICTURE, Clock, Hand, next_of


def packet(*, is_key: bool) -> VideoPacket:
    made: VideoPacket = Packet(b"\0\0\0\1")  # type: ignore[assignment]
    made.is_keyframe = is_key
    return made


async def test_everybody_gets_the_same_packets(stream: DocumentStream, hand: Hand) -> None:
    feeds = [stream.join(Line()) for _ in range(3)]
    hand.lay()
    first = [await next_of(feed) for feed in feeds]
    hand.lay()
    second = [await next_of(feed) for feed in feeds]

    assert [[one.is_keyframe for one in packets] for packets in (first, second)] == [[True] * 3, [False] * 3]
    assert len({id(one) for one in first}) == len({id(one) for one in second}) == 1


async def test_few_frames_are_enough_while_only_the_room_s_own_screen_looks(stream: DocumentStream) -> None:
    stream.join(Line(is_in_room=True))
    alone = stream.frames_per_second
    feed = stream.join(Line())
    together = stream.frames_per_second
    stream.part_with(feed)

    assert (alone, together, stream.frames_per_second) == (2, 15, 2)


async def test_a_newcomer_gets_a_key_frame_of_the_newest_picture_at_once(stream: DocumentStream, hand: Hand) -> None:
    early = stream.join(Line())
    hand.lay()
    await next_of(early)

    late = stream.join(Line())
    packets = [await next_of(late), await next_of(early)]

    assert [one.is_keyframe for one in packets] == [True, True]
    assert packets[0].pts == 1


async def test_newcomers_at_the_same_moment_share_their_key_frame(stream: DocumentStream, hand: Hand) -> None:
    hand.lay()
    feeds = [stream.join(Line()) for _ in range(3)]
    keys = [await next_of(feed) for feed in feeds]
    hand.lay()
    later = [await next_of(feed) for feed in feeds]

    assert len({id(one) for one in keys}) == 1
    assert [one.is_keyframe for one in later] == [False] * 3


async def test_key_frames_asked_for_again_and_again_are_few_and_none_is_forgotten(
    stream: DocumentStream, hand: Hand, clock: Clock
) -> None:
    feed = stream.join(Line())
    seen = []
    for asks, passes in ((False, 0.0), (True, 0.1), (False, 0.1), (True, 0.4), (False, 0.1)):
        clock.now += passes
        if asks:
            stream.ask_key_frame()
        hand.lay(at=clock.now)
        seen.append((await next_of(feed)).is_keyframe)

    assert seen == [True, False, False, True, False]


async def test_who_falls_behind_goes_on_with_the_present(stream: DocumentStream, hand: Hand, clock: Clock) -> None:
    slow, quick = stream.join(Line()), stream.join(Line())
    for _ in range(MOST_WAITING + 2):
        hand.lay()
        await next_of(quick)
    clock.now += 1

    waiting = asyncio.ensure_future(slow.next())
    await asyncio.sleep(0)
    hand.lay()
    packets = [await waiting, await next_of(quick)]

    assert packets[0] is packets[1]
    assert packets[1] is not None
    assert packets[1].is_keyframe


def test_what_nobody_fetched_is_bounded_and_asks_for_nothing(clock: Clock) -> None:
    stream = DocumentStream(Hand(), clock=clock)
    feed = Feed(stream, Line(), clock)
    feed.put(packet(is_key=False))
    held = []
    for number in range(3 * MOST_WAITING):
        feed.put(packet(is_key=number == 0))
        held.append(len(feed._waiting))
    stream.close()

    assert held == [*range(1, MOST_WAITING + 1), *[0] * 2 * MOST_WAITING]
    assert feed.needs_key_frame
    assert not stream._key_frame_wanted


async def test_what_is_old_is_not_sent_after_a_stall(stream: DocumentStream, hand: Hand, clock: Clock) -> None:
    feed = stream.join(Line())
    hand.lay()
    await next_of(feed)
    hand.lay()
    await until(lambda: len(feed._waiting) == 1)

    clock.now += OLDEST_SECONDS + 0.1
    waiting = asyncio.ensure_future(feed.next())
    await asyncio.sleep(0)
    hand.lay(at=clock.now)
    async with asyncio.timeout(5):
        fetched = await waiting

    assert fetched is not None
    assert fetched.is_keyframe


async def test_nothing_is_encoded_while_nobody_looks(
    stream: DocumentStream, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand.lay()
    feeds = [stream.join(Line()), stream.join(Line())]
    await next_of(feeds[0])
    for feed in (*feeds, feeds[0]):
        feed.leave()
    made: list[tuple[int, int]] = []
    make = H264Encoder.__init__

    def noted(self: H264Encoder, width: int, height: int) -> None:
        made.append((width, height))
        make(self, width, height)

    monkeypatch.setattr(H264Encoder, "__init__", noted)

    for _ in range(3):
        hand.lay()
        await asyncio.sleep(0.01)
    while_away = (stream.is_idle, hand.forgotten, list(made), await feeds[0].next())
    back = await next_of(stream.join(Line()))

    assert while_away == (True, 1, [], None)
    assert back.is_keyframe
    assert made == [(64, 48)]
    assert not stream.is_idle


async def test_a_picture_of_another_size_begins_with_a_key_frame(stream: DocumentStream, hand: Hand) -> None:
    feed = stream.join(Line())
    seen = []
    for size in ((64, 48), (64, 48), (48, 64), (48, 64)):
        hand.lay(*size)
        seen.append((await next_of(feed)).is_keyframe)

    assert seen == [True, False, True, False]


async def test_a_picture_that_cannot_be_encoded_is_passed_over_and_told_of_once(
    stream: DocumentStream, hand: Hand, caplog: pytest.LogCaptureFixture
) -> None:
    feed = stream.join(Line())
    for _ in range(2):
        hand.lay(64, 48)
        await next_of(feed)
    for number in (3, 4):
        hand.lay(2, 0)
        await until(lambda number=number: stream._number == number)  # type: ignore[misc]
    hand.lay(64, 48)
    again = await next_of(feed)

    assert again.is_keyframe
    assert caplog.messages == ["a picture could not be encoded"]


async def test_time_stamps_rise_even_when_two_pictures_were_read_in_one_tick(hand: Hand, clock: Clock) -> None:
    stream = DocumentStream(hand, clock=clock)

    stamps = [stream._next_pts(clock.now + at) for at in (1.0, 1.0, 2.0, 1.5)]
    stream.close()

    assert stamps == [90_000, 90_001, 180_000, 180_001]


async def slept(stream: DocumentStream, monkeypatch: pytest.MonkeyPatch, clock: Clock, turns: int) -> list[float]:
    """How long it waits for its turns when all else takes no time."""
    waits = []

    async def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))
        clock.now += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    for _ in range(turns):
        await stream._wait_for_turn()
    return waits


async def test_it_keeps_its_pace_and_after_a_stall_one_frame_comes_early(
    hand: Hand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = DocumentStream(hand, clock=clock)
    stream.join(Line())

    before = await slept(stream, monkeypatch, clock, 3)
    clock.now += 5
    after = await slept(stream, monkeypatch, clock, 4)
    stream.close()

    turn = round(1 / 15 / stream_module.PACE_TO_SPARE, 3)
    assert before == [0, 0, turn]
    assert after == [0, 0, turn, turn]


async def test_while_somebody_comes_the_screen_alone_gets_no_picture(
    hand: Hand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = DocumentStream(hand, clock=clock)
    stream.join(Line(is_in_room=True))
    stream.hush(0.7)
    alone = await slept(stream, monkeypatch, clock, 1)
    stream.join(Line())
    clock.now += 5
    stream.hush(60)
    together = await slept(stream, monkeypatch, clock, 1)
    stream.close()

    assert (alone, together) == ([0.7], [0])


async def test_after_a_large_frame_it_waits_until_the_line_is_free(
    hand: Hand, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = DocumentStream(hand, clock=clock)
    frame = Frame(number=1, at=clock.now, picture=PICTURE)
    noise: Bgr = np.random.default_rng(1).integers(0, 255, (720, 640), np.uint8)
    feed = stream.join(Line())

    await stream._send(frame, noise)
    large = await feed.next()
    waits = await slept(stream, monkeypatch, clock, 1)
    stream.close()

    assert large is not None
    assert waits == [round(large.size * 8 / stream.bits_per_second - stream_module.AHEAD_SECONDS, 3)]
    assert waits[0] > 0.1
