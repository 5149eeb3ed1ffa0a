"""x264 through PyAV, set for text on paper: every picture whole, no waiting for a later one, fine strokes before smooth motion.

Blocks and is not shared: one thread at a time. The rate may change from picture to picture without a key frame.
"""

from fractions import Fraction
from typing import TYPE_CHECKING, Final, TypeAlias

from av import CodecContext, Packet, VideoFrame
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.stream import VideoStream

from etapalvelu.room.pixels import Bgr

if TYPE_CHECKING:
    VideoPacket: TypeAlias = Packet[VideoStream]
else:
    # It takes its parameter from type checkers alone.
    VideoPacket = Packet

TICKS_PER_SECOND: Final = 90_000
# What x264 counts with; it looks at no time stamps. Whoever sends fewer pictures gives each of them more bits.
NOMINAL_FRAMES_PER_SECOND: Final = 15
CEILING_BITS_PER_SECOND: Final = 3_000_000
FLOOR_BITS_PER_SECOND: Final = 60_000
# The most one picture may take: a page of text is legible in its first frame, and 800 kbit/s carry it in half a second.
LARGEST_FRAME_BITS: Final = 400_000

_OPTIONS: Final = {
    # A third fewer bits than ultrafast at the same sharpness, for 2 ms a frame.
    "preset": "superfast",
    # What x264 writes under this name is Constrained Baseline.
    "profile": "baseline",
    "tune": "zerolatency",
    # x264 changes its rate later only when it began with a buffer, and as high as it ever shall be.
    "maxrate": str(CEILING_BITS_PER_SECOND),
    "bufsize": str(LARGEST_FRAME_BITS),
    "forced-idr": "1",
    "level": "4.0",
    # Below the one quantizer nobody sees a difference, above the other small print is mush: fewer frames then, not worse ones.
    # OpenCV's planes are those of BT.601; receivers take a large picture for BT.709 unless they are told.
    "x264-params": "repeat-headers=1:scenecut=0:qpmin=20:qpmax=42:colorprim=smpte170m:transfer=smpte170m:colormatrix=smpte170m",
}


class H264Encoder:
    """Constrained Baseline for pictures of one size; the first is a key frame, later ones only when asked for."""

    def __init__(self, width: int, height: int) -> None:
        self.size = (width, height)
        codec = CodecContext.create("libx264", "w")
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.framerate = Fraction(NOMINAL_FRAMES_PER_SECOND)
        codec.time_base = Fraction(1, TICKS_PER_SECOND)
        codec.bit_rate = CEILING_BITS_PER_SECOND
        codec.thread_count = 1
        # Key frames come when somebody needs one.
        codec.gop_size = 2**30
        codec.options = _OPTIONS
        codec.open()
        self._codec: VideoCodecContext = codec

    def encode(self, planes: Bgr, pts: int, *, is_key: bool, bits_per_second: float) -> VideoPacket:
        """One picture (I420) as one packet, `pts` in ticks. The rate is what NOMINAL_FRAMES_PER_SECOND such pictures take."""
        self._codec.bit_rate = round(min(max(bits_per_second, FLOOR_BITS_PER_SECOND), CEILING_BITS_PER_SECOND))
        frame = VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = pts, self._codec.time_base
        frame.pict_type = PictureType.I if is_key else PictureType.NONE
        (packet,) = self._codec.encode(frame)
        return packet
