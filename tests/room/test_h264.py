import cv2
import numpy as np
import pytest
from av import CodecContext, VideoFrame

from etapalvelu.room.h264 import (
    CEILING_BITS_PER_SECOND,
    LARGEST_FRAME_BITS,
    NOMINAL_FRAMES_PER_SECOND,
    TICKS_PER_SECOND,
    H264Encoder,
    VideoPacket,
)
from etapalvelu.room.letter import Letter
from etapalvelu.room.pixels import Bgr

STEP = TICKS_PER_SECOND // NOMINAL_FRAMES_PER_SECOND


def letter(moment: int, move: int = 0) -> Bgr:
    picture = np.roll(Letter(67 * moment).live(), move, axis=0)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)


@pytest.fixture(scope="module")
def page() -> list[Bgr]:
    """A second of the letter, held still."""
    return [letter(moment) for moment in range(15)]


def encoded(encoder: H264Encoder, pictures: list[Bgr], rate: float, keys: frozenset[int] = frozenset()) -> list[VideoPacket]:
    return [
        encoder.encode(planes, number * STEP, is_key=number in keys, bits_per_second=rate)
        for number, planes in enumerate(pictures)
    ]


def units(packet: VideoPacket) -> list[int]:
    """The kinds of the packet's NAL units (ITU-T H.264, table 7-1)."""
    return [part[0] & 0x1F for part in bytes(packet).replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]


def test_key_frames_come_first_and_when_asked_for_each_with_its_parameters(page: list[Bgr]) -> None:
    packets = encoded(H264Encoder(1920, 1080), page, 600_000, frozenset({4}))

    assert [number for number, packet in enumerate(packets) if packet.is_keyframe] == [0, 4]
    assert [packet.pts for packet in packets] == [number * STEP for number in range(15)]
    for packet in (packets[0], packets[4]):
        kinds = units(packet)
        assert [kind for kind in kinds if kind != 6] == [7, 8, 5]
    assert {tuple(units(packet)) for packet in packets if not packet.is_keyframe} == {(1,)}


def test_it_is_constrained_baseline_of_a_level_that_1080p_needs(page: list[Bgr]) -> None:
    data = bytes(H264Encoder(1920, 1080).encode(page[0], 0, is_key=False, bits_per_second=600_000))

    profile, constraints, level = data[data.index(b"\0\0\1\x67") + 4 :][:3]

    assert (profile, constraints & 0xC0, level) == (66, 0xC0, 40)


def test_receivers_are_told_which_colours_the_planes_are_of(page: list[Bgr]) -> None:
    packet = H264Encoder(1920, 1080).encode(page[0], 0, is_key=False, bits_per_second=600_000)

    (frame,) = CodecContext.create("h264", "r").decode(packet)

    # ITU-T H.273: matrix 6 is that of BT.601; range 1 is 16 to 235.
    assert (frame.colorspace, frame.color_range) == (6, 1)


def test_a_page_at_rest_is_sharp_within_a_second_and_then_costs_little(page: list[Bgr]) -> None:
    encoder, decoder = H264Encoder(1920, 1080), CodecContext.create("h264", "r")
    frames = [frame for packet in encoded(encoder, page, 600_000) for frame in decoder.decode(packet)]

    first, last = (sharpness(frames[number], page[number]) for number in (0, -1))
    at_rest = encoded(encoder, page[-1:] * 15, 600_000)

    assert first > 34
    assert last > 42
    assert sum(packet.size for packet in at_rest[3:]) * 8 < 100_000


def sharpness(frame: VideoFrame, planes: Bgr) -> float:
    """Likeness of the brightness in decibels (PSNR)."""
    rows = frame.height
    return float(cv2.PSNR(np.asarray(frame.to_ndarray(), np.uint8)[:rows], planes[:rows]))


def test_no_picture_is_larger_than_a_thin_line_carries_in_half_a_second() -> None:
    moving = [letter(moment, move=moment * 97) for moment in range(15)]

    for rate in (200_000, CEILING_BITS_PER_SECOND):
        packets = encoded(H264Encoder(1920, 1080), moving, rate, frozenset({7}))
        assert max(packet.size for packet in packets) * 8 < LARGEST_FRAME_BITS


def test_the_rate_changes_without_a_key_frame() -> None:
    """The letter as a poor camera sees it: there is always more to tell."""
    noise = np.random.default_rng(1)
    grainy = [np.asarray(np.clip(letter(0) + noise.normal(0, 4, (1620, 1920)), 0, 255), np.uint8) for _ in range(10)]
    encoder = H264Encoder(1920, 1080)

    packets = [encoded(encoder, grainy, rate) for rate in (2_500_000, 400_000, 2_500_000)]
    rates = [sum(packet.size for packet in some[4:]) * 8 * 15 // 6 for some in packets]

    assert [packet.is_keyframe for some in packets for packet in some].count(True) == 1
    assert rates[0] > 1_500_000
    assert rates[1] < 600_000
    assert rates[2] > 1_500_000


def test_small_pictures_can_be_sent_too() -> None:
    planes = np.full((48 * 3 // 2, 64), 120, np.uint8)

    packet = H264Encoder(64, 48).encode(planes, 0, is_key=False, bits_per_second=1)

    assert packet.is_keyframe
