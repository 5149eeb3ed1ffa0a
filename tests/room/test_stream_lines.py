"""What the viewers' lines carry decides rate and frames; media flows over real encoders, the readings are the test's."""

import asyncio

import numpy as np

from etapalvelu.room.line import Carried, Line
from etapalvelu.room.rate import Reading
from etapalvelu.room.stream import DocumentStream
from tests.room.hand import Clock, Hand, next_of


def lose(line: Line, at: float) -> None:
    """Half of what is sent gets lost."""
    line.take(Reading(at=at, round_trip=0.5, loss=0.5, bits_per_second=line.bits_per_second))


def good(at: float) -> Reading:
    return Reading(at=at, round_trip=0.01, loss=0.0, bits_per_second=10e6)


async def test_the_slowest_line_sets_rate_and_frames_for_all_and_all_are_told(stream: DocumentStream) -> None:
    slow, fast, late = Line(), Line(), Line()
    told: dict[str, list[Carried]] = {"slow": [], "fast": []}
    slow.listen(told["slow"].append)
    fast.listen(told["fast"].append)
    feeds = [stream.join(slow), stream.join(fast)]
    asked = [(stream.frames_per_second, stream.bits_per_second)]

    fast.take(good(1))
    for second in range(2):
        lose(slow, second)
        asked.append((stream.frames_per_second, stream.bits_per_second))
    stream.join(late)
    feeds[0].leave()
    asked.append((stream.frames_per_second, stream.bits_per_second))

    fewer, few = Carried(step="fewer_frames", frames_per_second=8), Carried(step="few_frames", frames_per_second=4)
    full = Carried(step="full", frames_per_second=15)
    assert asked == [(15, 600_000), (8, 300_000), (4, 150_000), (15, 600_000)]
    assert told == {"slow": [fewer, few], "fast": [fewer, few, full]}
    assert late.carried == full


async def test_a_line_that_carries_stills_only_holds_up_nobody_and_comes_back_with_a_key_frame(
    stream: DocumentStream, hand: Hand, clock: Clock
) -> None:
    choked, fast = Line(), Line()
    feeds = [stream.join(choked), stream.join(fast)]
    hand.lay()
    for feed in feeds:
        await next_of(feed)

    for second in range(20):
        lose(choked, second)
    still = (choked.carried.step, fast.carried.step, stream.frames_per_second)
    waiting = asyncio.ensure_future(feeds[0].next())
    for _ in range(3):
        hand.lay()
        await next_of(feeds[1])
    kept_waiting = [not waiting.done()]
    clock.now += 60
    choked.take(good(80))
    hand.lay()
    async with asyncio.timeout(5):
        back = await waiting

    assert back is not None
    assert (still, kept_waiting, back.is_keyframe) == (("stills_only", "full", 15), [True], True)
    assert choked.carried == Carried(step="few_frames", frames_per_second=2)


async def test_nothing_is_encoded_for_a_line_that_carries_stills_only(hand: Hand, clock: Clock) -> None:
    stream = DocumentStream(hand, clock=clock)
    line = Line()
    feed = stream.join(line)
    for second in range(20):
        lose(line, second)

    turn = asyncio.ensure_future(stream._wait_for_turn())
    done = []
    for _ in range(5):
        await asyncio.sleep(0)
        done.append(turn.done())
    line.take(good(80))
    async with asyncio.timeout(5):
        await turn
    feed.leave()
    stream.close()

    assert done == [False] * 5


async def test_video_yields_to_a_still_and_no_line_is_judged_by_it(stream: DocumentStream, clock: Clock) -> None:
    line = Line()
    stream.join(line)
    with stream.yielding(), stream.yielding():
        lose(line, clock.now)
        during = (stream.frames_per_second, stream.bits_per_second)
    lose(line, clock.now + 1)
    after = (stream.frames_per_second, stream.bits_per_second)
    lose(line, clock.now + 3)
    judged = (stream.frames_per_second, stream.bits_per_second)

    assert [during, after, judged] == [(11.25, 300_000), (15, 600_000), (8, 300_000)]


async def test_what_the_pictures_take_decides_how_many_are_sent(stream: DocumentStream, hand: Hand) -> None:
    line = Line()
    feed = stream.join(line)
    for number in range(15):
        hand.lay(640, 480)
        hand.planes = np.random.default_rng(number).integers(0, 255, (720, 640), np.uint8)
        await next_of(feed)

    line.take(good(1))

    assert line.frame_bits > 300_000
    assert line.carried == Carried(step="few_frames", frames_per_second=2)
