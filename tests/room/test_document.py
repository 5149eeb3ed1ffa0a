"""The sending half of the data channel against a line that stops; all else is tested with real connections in test_agent."""

import asyncio
from datetime import UTC, datetime
from typing import cast

import pytest
from aiortc import RTCDataChannel
from pyee.asyncio import AsyncIOEventEmitter

from etapalvelu.room import document
from etapalvelu.room.camera import Camera, CameraStatus
from etapalvelu.room.document import DocumentChannel
from etapalvelu.room.line import Carried
from etapalvelu.room.shot import VISION
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.still import ChannelClosedError, Stills, ViewerGoneError
from etapalvelu.room.stream import DocumentStream
from etapalvelu.room.tabletop import Tabletop
from etapalvelu.room.track import LiveView
from etapalvelu.room.viewer import Viewer
from signaling.document import Capture, Line, MarkUndo, PointAt, Refused, Status, StillFailed, decode_from_agent, encode
from signaling.messages import StillTaken
from tests.room.service import now
from tests.room.test_eye import Sight


class StoppedLine(AsyncIOEventEmitter):
    """A data channel whose other end reads nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.readyState = "open"  # aiortc's name
        self.bufferedAmount = 10 * 1024 * 1024
        self.bufferedAmountLowThreshold = 0
        self.sent: list[str | bytes] = []

    def send(self, data: str | bytes) -> None:
        self.sent.append(data)


async def no_note(note: StillTaken) -> None:
    raise AssertionError(note)


@pytest.fixture
async def line() -> StoppedLine:
    return StoppedLine()


@pytest.fixture
async def channel(line: StoppedLine, loopback: None) -> DocumentChannel:
    camera = Camera(Source(Kind.TEST))
    viewer = Viewer("expert", 1, stream=DocumentStream(LiveView(camera)), ice_servers=[], changed=lambda _: None)
    viewer.channel = cast(RTCDataChannel, line)
    tabletop = Tabletop(camera, vision=Sight().vision, now=now)
    stills = Stills(camera, taken=no_note, vision=VISION)
    return DocumentChannel(viewer, camera=camera, taking=stills, tabletop=tabletop, now=now)


async def test_a_chunk_waits_for_room_and_then_goes(line: StoppedLine, channel: DocumentChannel) -> None:
    sending = asyncio.ensure_future(channel.send_chunk(b"chunk"))
    await asyncio.sleep(0)
    waited = list(line.sent)

    line.bufferedAmount = 0
    line.emit("bufferedamountlow")
    await sending

    assert (waited, line.sent) == ([], [b"chunk"])


async def test_a_line_that_takes_nothing_is_given_up(
    line: StoppedLine, channel: DocumentChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document, "ANSWER_SECONDS", 0.05)

    with pytest.raises(ViewerGoneError, match="the line takes no more"):
        await channel.send_chunk(b"chunk")


async def test_a_channel_that_closes_meanwhile_is_given_up(line: StoppedLine, channel: DocumentChannel) -> None:
    sending = asyncio.ensure_future(channel.send_chunk(b"chunk"))
    await asyncio.sleep(0)

    line.readyState = "closed"
    line.emit("close")

    with pytest.raises(ViewerGoneError, match="the channel closed"):
        await sending
    channel.tell(CameraStatus(camera="ok", width=1, height=1))
    assert line.sent == []


async def test_chunks_go_over_the_successor_while_words_still_go(line: StoppedLine, channel: DocumentChannel) -> None:
    sending = asyncio.ensure_future(channel.send_chunk(b"chunk"))
    await asyncio.sleep(0)

    channel.end_chunks()

    with pytest.raises(ChannelClosedError):
        await sending
    line.bufferedAmount = 0
    with pytest.raises(ChannelClosedError):
        await channel.send_chunk(b"chunk")
    channel.tell(CameraStatus(camera="ok", width=1, height=1))
    assert len(line.sent) == 1


async def test_a_status_tells_its_time_in_utc_with_a_z(line: StoppedLine, channel: DocumentChannel) -> None:
    channel.tell(CameraStatus(camera="lost", width=1, height=1))

    (said,) = line.sent
    assert isinstance(said, str)
    status = decode_from_agent(said)
    assert isinstance(status, Status)
    assert status.at.endswith("Z")
    assert datetime.fromisoformat(status.at).tzinfo == UTC


async def test_of_two_stills_asked_for_at_once_the_second_is_told_busy(
    line: StoppedLine, channel: DocumentChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Camera, "status", CameraStatus(camera="ok", width=1, height=1))

    for still_id in ("one", "two"):
        line.emit("message", encode(Capture(id=still_id)))

    channel.close()
    assert [decode_from_agent(str(said)) for said in line.sent] == [StillFailed(id="two", code="busy")]


async def test_what_cannot_be_read_is_answered_where_it_was_meant_for_the_camera(
    line: StoppedLine, channel: DocumentChannel
) -> None:
    for text in ('{"type": "mark", "points": 7}', '{"type": "weather"}', "no json"):
        line.emit("message", text)

    assert [decode_from_agent(str(said)) for said in line.sent] == [Refused(what="mark", code="bad_message")]


async def test_a_viewer_whose_channel_opens_is_told_of_the_table(line: StoppedLine, channel: DocumentChannel) -> None:
    line.bufferedAmount = 0
    line.emit("open")
    line.emit("message", encode(MarkUndo()))
    line.emit("message", encode(PointAt(page=3, point=(0.5, 0.5))))
    await asyncio.sleep(0)
    channel.close()

    said = [decode_from_agent(str(text)) for text in line.sent]
    assert [type(message).__name__ for message in said] == ["Line", "Page", "Marks", "Refused", "Status"]
    assert said[3] == Refused(what="point", code="page_gone")


async def test_whether_there_is_room_follows_what_waits_to_be_sent(line: StoppedLine, channel: DocumentChannel) -> None:
    line.bufferedAmount = document.CLOGGED_BYTES - 1
    has_room = channel.has_room
    line.bufferedAmount += 1

    assert (has_room, channel.has_room) == (True, False)


async def test_a_viewer_is_told_what_its_line_carries_first_and_on_each_change(
    line: StoppedLine, channel: DocumentChannel
) -> None:
    line.emit("open")
    channel._viewer.line.say(Carried(step="few_frames", frames_per_second=4))
    channel.close()

    told = [decode_from_agent(text) for text in line.sent if isinstance(text, str)]
    assert [message for message in told if isinstance(message, Line)] == [
        Line(step="full", frames_per_second=15),
        Line(step="few_frames", frames_per_second=4),
    ]
