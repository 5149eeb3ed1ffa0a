"""The messages of the data channel `document`: camera and viewer about the page, the stills, and where the expert points.

Coordinates are fractions. Corners of a sheet stand in the picture that is sent, top left, top right, bottom right, bottom
left of the sheet itself; marks and the pointer stand on the sheet, whose top left is (0, 0). So no side needs the other's
pixels, and a mark stays where it was put when the sheet moves.
"""

from typing import Annotated, Final, Literal, TypeVar, get_args

import msgspec
from msgspec import Meta, Struct

from signaling.messages import Code, Seat, Sha256

MAX_STILL_BYTES: Final = 32 * 1024 * 1024
MAX_CHUNK_BYTES: Final = 64 * 1024
HEADER_BYTES: Final = 8
MAX_PAYLOAD_BYTES: Final = MAX_CHUNK_BYTES - HEADER_BYTES
MIN_PAYLOAD_BYTES: Final = 1024
MAX_CHUNKS: Final = MAX_STILL_BYTES // MIN_PAYLOAD_BYTES
MAX_MISSING_NAMED: Final = 1024
MAX_CONTROL_CHARS: Final = 64 * 1024
MAX_MARKS: Final = 50
MAX_POINTS: Final = 500
# Of all marks together, since their whole state goes in one message.
MAX_ALL_POINTS: Final = 3000
# Who may take stills, choose the view, point and mark.
CAPTURE_SEATS: Final[frozenset[Seat]] = frozenset({"expert", "expert2"})
STATUS_SECONDS: Final = 1.0

Token = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
Number = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Side = Annotated[int, Meta(ge=1, le=65_535)]
Moment = Annotated[str, Meta(max_length=40)]
CameraState = Literal["ok", "opening", "lost", "frozen", "black"]
View = Literal["table", "page"]
Part = Literal["page", "raw"]
LineStep = Literal["full", "fewer_frames", "few_frames", "stills_only"]
# A sheet may lie partly outside the picture; and who points beside the sheet is answered, not taken for a broken program.
Fraction = Annotated[float, Meta(ge=-1000, le=1000)]
Point = tuple[Fraction, Fraction]
Corners = tuple[Point, Point, Point, Point]
Stroke = Annotated[tuple[Point, ...], Meta(min_length=1, max_length=MAX_POINTS)]
# Whoever draws too much is answered too; the message as a whole has its limit.
LongStroke = Annotated[tuple[Point, ...], Meta(min_length=1)]
QuarterTurns = Literal[0, 90, 180, 270]
Share = Annotated[float, Meta(ge=0, le=1)]


class DocumentError(Exception):
    """Raised for a message or chunk that no honest other side sends; the text says what is wrong."""


class Status(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="status"):
    """Heartbeat of the agent. `at` is its clock, RFC 3339 in UTC; width and height when the camera is ok."""

    camera: CameraState
    at: Moment
    width: Side | None = None
    height: Side | None = None


class Page(Struct, frozen=True, kw_only=True, tag_field="type", tag="page"):
    """Where the sheet lies in the picture sent. `page` rises with each new sheet, 0 while there is none."""

    page: Number
    at: Moment
    view: View
    corners: Corners | None
    hint: Code | None
    calm: bool
    ppi: Annotated[int, Meta(ge=1)] | None


class Mark(Struct, frozen=True, kw_only=True):
    """One stroke on the sheet; a single point is a dot."""

    id: Token
    points: Stroke


class Marks(Struct, frozen=True, kw_only=True, tag_field="type", tag="marks"):
    """All that is marked on the sheet now, and where the pointer is: the whole state each time."""

    page: Number
    marks: Annotated[tuple[Mark, ...], Meta(max_length=MAX_MARKS)]
    pointer: Point | None


class Refused(Struct, frozen=True, kw_only=True, tag_field="type", tag="refused"):
    """A deed of this viewer that was not done: `not_allowed`, `outside_page`, `page_gone`, `too_many`, `bad_message`."""

    what: Code
    code: Code


class Line(Struct, frozen=True, kw_only=True, tag_field="type", tag="line"):
    """How much the line carries: the size of the picture never falls, its frames do."""

    step: LineStep
    frames_per_second: Annotated[int, Meta(ge=0, le=60)]


class PageVerdict(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the page looks. `hint` names what the customer can do about it; figures are left out where nothing is known."""

    code: Code
    hint: Code | None = None
    tilt_degrees: float | None = None
    glare_share: Share | None = None
    ppi: Annotated[int, Meta(ge=1)] | None = None
    smallest_text_mm: float | None = None


class StillProgress(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_progress"):
    """What is being done for a still before its bytes flow."""

    id: Token
    stage: Literal["calm", "burst", "page", "sending"]


class StillBegin(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="still_begin"):
    """A picture follows in `chunks` chunks; `number` marks them.

    `capture` is the id of the asking; the first picture of it has that id itself. `page` is the straightened sheet,
    `raw` the camera's whole picture, whose `corners` say where the sheet is in it. `ppi` is pixels of this picture for an
    inch of the sheet; `turn` the clockwise turn that makes the page upright.
    """

    id: Token
    capture: Token
    part: Part
    page: Number = 0
    verdict: PageVerdict | None = None
    corners: Corners | None = None
    ppi: Annotated[int, Meta(ge=1)] | None = None
    turn: Literal[0, 90, 180, 270] = 0
    number: Number
    sha256: Sha256
    size: Annotated[int, Meta(ge=1, le=MAX_STILL_BYTES)]
    width: Side
    height: Side
    mime: Literal["image/jpeg", "image/png"]
    chunk_size: Annotated[int, Meta(ge=MIN_PAYLOAD_BYTES, le=MAX_PAYLOAD_BYTES)]
    chunks: Annotated[int, Meta(ge=1, le=MAX_CHUNKS)]

    def __post_init__(self) -> None:
        if self.chunks != -(-self.size // self.chunk_size):
            raise ValueError("chunks is not size divided by chunk_size")


class StillEnd(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_end"):
    """Every chunk was sent, or every chunk asked for again."""

    id: Token


class StillFailed(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_failed"):
    """There will be no still: `busy`, `camera_lost`, `not_allowed`, `too_large`."""

    id: Token
    code: Code


class Capture(Struct, frozen=True, kw_only=True, tag_field="type", tag="capture"):
    """Asks for a still; the viewer chooses the id."""

    id: Token


class StillAck(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_ack"):
    """The still is whole and its sha256 is right."""

    id: Token
    sha256: Sha256


class StillMissing(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_missing"):
    """These chunks did not come; the agent sends them again, then still_end."""

    id: Token
    chunks: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_MISSING_NAMED)]


class StillDropped(Struct, frozen=True, kw_only=True, tag_field="type", tag="still_dropped"):
    """The viewer wants no more of this still, so that the camera is free for the next."""

    id: Token


class SetView(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="view"):
    """Choose what everybody sees: the whole table, or the sheet alone, straightened; `turn` it further clockwise."""

    view: View
    turn: QuarterTurns = 0


class PointAt(Struct, frozen=True, kw_only=True, tag_field="type", tag="point"):
    """The pointer is at this place of sheet `page`."""

    page: Number
    point: Point


class PointEnd(Struct, frozen=True, kw_only=True, tag_field="type", tag="point_end"):
    """Nobody points any more."""


class AddMark(Struct, frozen=True, kw_only=True, tag_field="type", tag="mark"):
    """Draw a stroke on sheet `page`; the viewer chooses the id, and a mark of that id is drawn anew."""

    page: Number
    id: Token
    points: LongStroke


class MarkUndo(Struct, frozen=True, kw_only=True, tag_field="type", tag="mark_undo"):
    """Take the newest mark away."""


class MarkClear(Struct, frozen=True, kw_only=True, tag_field="type", tag="mark_clear"):
    """Take all marks away."""


class KeyFrame(Struct, frozen=True, kw_only=True, tag_field="type", tag="key_frame"):
    """Asks for a key frame of the live picture now."""


FromAgent = Status | Page | Marks | Refused | Line | StillProgress | StillBegin | StillEnd | StillFailed
FromViewer = (
    Capture | StillAck | StillMissing | StillDropped | KeyFrame | SetView | PointAt | PointEnd | AddMark | MarkUndo | MarkClear
)

_Message = TypeVar("_Message", FromAgent, FromViewer)


class _Tagged(Struct):
    type: str


_VIEWER_TAGS: Final = frozenset(str(kind.__struct_config__.tag) for kind in get_args(FromViewer))
_tag_decoder: msgspec.json.Decoder[_Tagged] = msgspec.json.Decoder(_Tagged)
_agent_decoder: msgspec.json.Decoder[FromAgent] = msgspec.json.Decoder(FromAgent)
_viewer_decoder: msgspec.json.Decoder[FromViewer] = msgspec.json.Decoder(FromViewer)


def encode(message: FromAgent | FromViewer) -> str:
    """The message as the text that goes over the data channel."""
    return msgspec.json.encode(message).decode()


def tag_of(message: FromAgent | FromViewer) -> str:
    """The `type` of a message."""
    return str(message.__struct_config__.tag)


def tag_in(text: str) -> str | None:
    """The `type` of what a viewer sent that cannot be read otherwise; None when that is no type of a viewer's."""
    try:
        tag = _tag_decoder.decode(text).type
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return tag if tag in _VIEWER_TAGS else None


def decode_from_agent(text: str) -> FromAgent:
    """The message an agent sent. Raises DocumentError."""
    return _decode(_agent_decoder, text)


def decode_from_viewer(text: str) -> FromViewer:
    """The message a viewer sent. Raises DocumentError."""
    return _decode(_viewer_decoder, text)


def _decode(decoder: msgspec.json.Decoder[_Message], text: str) -> _Message:
    if len(text) > MAX_CONTROL_CHARS:
        raise DocumentError("a message is too long")
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise DocumentError(str(error)) from None
