"""Stills from the asking to the last acknowledgement, over channels that break; with real connections in test_agent_stills."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from etapalvelu.room import still as still_module
from etapalvelu.room.camera import Camera
from etapalvelu.room.pixels import Jpeg, Picture, Pixels
from etapalvelu.room.source import Kind, Source
from etapalvelu.room.still import Stills
from signaling import stills as chunks
from signaling.document import (
    PageVerdict,
    StillAck,
    StillBegin,
    StillDropped,
    StillEnd,
    StillFailed,
    StillMissing,
    StillProgress,
)
from signaling.messages import StillTaken
from tests.room.cameras import Script, until
from tests.room.still_viewer import Table, Viewer
from tests.room.test_shot import VISION

NOISE = Pixels(np.random.default_rng(1).integers(0, 256, (400, 700, 3), np.uint8))


async def started(*steps: Picture, then: Picture | None = NOISE) -> Camera:
    camera = Camera(Source(Kind.TEST), open_source=Script(*steps, then=then).open)
    await camera.start()
    await camera.next_frame(0)
    return camera


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    camera = await started()
    yield camera
    await camera.stop()


@pytest.fixture
def notes() -> list[StillTaken]:
    return []


@pytest.fixture
async def stills(camera: Camera, notes: list[StillTaken]) -> AsyncIterator[Stills]:
    async def note(note: StillTaken) -> None:
        notes.append(note)

    stills = Stills(camera, taken=note, vision=VISION)
    yield stills
    stills.close()


@pytest.fixture
def viewer(stills: Stills) -> Viewer:
    return Viewer(stills)


async def test_one_asking_brings_the_page_and_then_the_raw_picture(
    stills: Stills, viewer: Viewer, notes: list[StillTaken]
) -> None:
    stills.ask("k1", viewer.line())
    await until(lambda: len(viewer.got) == 2)

    page, raw = viewer.got
    said = [message for message in viewer.told if not isinstance(message, StillBegin)]
    assert said == [
        *(StillProgress(id="k1", stage=stage) for stage in ("calm", "burst", "page", "sending")),
        StillEnd(id="k1"),
        StillEnd(id="k1-raw"),
    ]
    assert [(one.begin.id, one.begin.capture, one.begin.part, one.begin.number) for one in viewer.got] == [
        ("k1", "k1", "page", 1),
        ("k1-raw", "k1", "raw", 2),
    ]
    assert (page.begin.ppi, page.begin.turn, page.begin.verdict) == (200, 90, PageVerdict(code="readable", ppi=100))
    assert raw.begin.corners is not None
    assert notes == [
        StillTaken(
            sha256=page.begin.sha256,
            size=len(page.data),
            width=400,
            height=200,
            verdict="readable",
            raw_sha256=raw.begin.sha256,
        )
    ]


async def test_without_a_page_the_raw_picture_is_the_still(stills: Stills, viewer: Viewer, notes: list[StillTaken]) -> None:
    stills.vision = replace(VISION, find_page=lambda image, near: None)

    stills.ask("k1", viewer.line())
    await until(lambda: bool(notes))

    (raw,) = viewer.got
    assert (raw.begin.id, raw.begin.part, raw.begin.verdict) == ("k1", "raw", PageVerdict(code="no_page"))
    assert notes == [StillTaken(sha256=raw.begin.sha256, size=len(raw.data), width=700, height=400, verdict="no_page")]


async def test_a_still_waits_for_a_calm_page_and_names_the_sheet(stills: Stills, viewer: Viewer) -> None:
    table = Table()
    stills.sheet = table

    stills.ask("k1", viewer.line())
    await until(lambda: table.waited == [1.5])
    before = list(viewer.told)
    table.is_calm.set()
    await until(lambda: len(viewer.got) == 2)

    assert before == [StillProgress(id="k1", stage="calm")]
    assert [one.begin.page for one in viewer.got] == [3, 3]


async def test_the_video_yields_while_bytes_flow_and_only_then(stills: Stills, viewer: Viewer) -> None:
    yielding: list[int] = []

    @contextmanager
    def note() -> Iterator[None]:
        yielding.append(len(viewer.told))
        yield
        yielding.append(len(viewer.told))

    stills.yielding = note
    stills.ask("k1", viewer.line())
    await until(lambda: len(yielding) == 4)

    # Four stages, then begin and end of each picture.
    assert yielding == [4, 6, 6, 8]


async def test_only_experts_get_a_still_and_only_while_the_camera_is_there(stills: Stills, camera: Camera) -> None:
    screen, expert = Viewer(stills, "room"), Viewer(stills)

    stills.ask("k1", screen.line())
    await camera.stop()
    camera._lose()
    stills.ask("k2", expert.line())

    assert screen.told == [StillFailed(id="k1", code="not_allowed")]
    assert expert.told == [StillFailed(id="k2", code="camera_lost")]


async def test_a_second_asking_meanwhile_is_told_busy_whoever_asks(stills: Stills, viewer: Viewer) -> None:
    other = Viewer(stills, "expert2")
    viewer.answers = False

    line = viewer.line()
    stills.ask("k1", line)
    stills.ask("k2", line)
    await until(lambda: viewer.ends() == 1)
    stills.ask("k3", other.line())
    stills.ask("k4", line)

    assert viewer.failures == [StillFailed(id="k2", code="busy"), StillFailed(id="k4", code="busy")]
    assert other.told == [StillFailed(id="k3", code="busy")]


async def test_who_passes_the_raw_picture_over_may_ask_again(stills: Stills, viewer: Viewer) -> None:
    line, other = viewer.line(), Viewer(stills, "expert2")
    viewer.passes_over = {"k1-raw"}
    stills.ask("k1", line)
    await until(lambda: viewer.ends() == 2)

    stills.ask("k2", other.line())
    stills.ask("k3", line)
    await until(lambda: len(viewer.got) == 3)

    assert other.told == [StillFailed(id="k2", code="busy")]
    assert [one.begin.id for one in viewer.got] == ["k1", "k3", "k3-raw"]


async def test_lost_chunks_are_sent_again(stills: Stills, viewer: Viewer) -> None:
    viewer.loses = {0, 2, 4}

    stills.ask("k1", viewer.line())
    await until(lambda: len(viewer.got) == 2)

    assert viewer.ends() > 2


@pytest.mark.parametrize("chunks_before", [0, 1, 3])
async def test_a_broken_transfer_goes_on_with_what_is_missing(stills: Stills, viewer: Viewer, chunks_before: int) -> None:
    first = viewer.line()
    first.breaks_after = chunks_before

    stills.ask("k1", first)
    await until(lambda: not first.is_open)
    viewer.line()
    await until(lambda: len(viewer.got) == 2)

    assert [one.begin.id for one in viewer.got] == ["k1", "k1-raw"]
    assert viewer.chunks == sum(one.begin.chunks for one in viewer.got)


async def test_a_connection_replaced_before_the_first_byte_loses_nothing(stills: Stills, viewer: Viewer) -> None:
    first = viewer.line()

    stills.ask("k1", first)
    first.close()
    viewer.line()
    await until(lambda: len(viewer.got) == 2)

    assert [one.begin.id for one in viewer.got] == ["k1", "k1-raw"]


async def test_an_acknowledgement_lost_with_the_connection_is_given_again(
    stills: Stills, viewer: Viewer, notes: list[StillTaken]
) -> None:
    first = viewer.line()
    viewer.answers = False
    stills.ask("k1", first)
    await until(lambda: viewer.ends() == 1)

    viewer.answers = True
    viewer.line()
    first.close()
    await until(lambda: len(viewer.got) == 2)

    assert [message.id for message in viewer.told if isinstance(message, StillEnd)] == ["k1", "k1", "k1-raw"]
    assert len(notes) == 1


async def test_the_call_goes_on_when_the_viewer_does_not_come_back(
    stills: Stills, viewer: Viewer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(still_module, "RETURN_SECONDS", 0.05)
    first, other = viewer.line(), Viewer(stills, "expert2")
    first.breaks_after = 1
    stills.ask("k1", first)

    await until(lambda: any("did not come back" in line for line in caplog.messages))
    stills.ask("k2", other.line())
    await until(lambda: len(other.got) == 2)

    assert [one.begin.id for one in viewer.got] == ["k1"]


async def test_a_page_loaded_anew_does_not_wait_for_what_it_has_forgotten(stills: Stills, viewer: Viewer) -> None:
    first, anew = viewer.line(), Viewer(stills)
    first.breaks_after = 1
    stills.ask("k1", first)
    await until(lambda: not first.is_open)
    anew.answers = False

    line = anew.line()
    await until(lambda: anew.ends() == 1)
    anew.answers = True
    stills.ask("k2", line)
    await until(lambda: len(anew.got) == 2)

    assert [one.begin.id for one in anew.got] == ["k2", "k2-raw"]


async def test_a_viewer_that_drops_a_still_may_ask_again_at_once(stills: Stills, viewer: Viewer) -> None:
    viewer.answers = False
    line = viewer.line()
    stills.ask("k1", line)
    await until(lambda: viewer.ends() == 1)

    stills.heard("expert", StillDropped(id="k0"))
    stills.heard("expert2", StillDropped(id="k1"))
    stills.ask("k2", line)
    stills.heard("expert", StillDropped(id="k1"))
    viewer.answers = True
    stills.ask("k3", line)
    await until(lambda: len(viewer.got) == 2)

    assert viewer.failures == [StillFailed(id="k2", code="busy")]
    assert [one.begin.id for one in viewer.got] == ["k3", "k3-raw"]


async def test_an_expert_who_left_keeps_nobody_waiting(stills: Stills, viewer: Viewer) -> None:
    viewer.answers = False
    stills.ask("k1", viewer.line())
    await until(lambda: viewer.ends() == 1)
    other = Viewer(stills, "expert2")

    stills.left("room")
    stills.ask("k2", other.line())
    stills.left("expert")
    stills.ask("k3", other.line())
    await until(lambda: len(other.got) == 2)

    assert other.failures == [StillFailed(id="k2", code="busy")]


async def test_a_viewer_that_says_nothing_is_given_up(
    stills: Stills, viewer: Viewer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(still_module, "ANSWER_SECONDS", 0.05)
    viewer.answers = False
    line = viewer.line()

    stills.ask("k1", line)
    await until(lambda: any("does not answer" in said for said in caplog.messages))
    viewer.answers = True
    stills.ask("k2", line)
    await until(lambda: len(viewer.got) == 2)

    assert viewer.failures == []


async def test_a_viewer_that_never_has_enough_or_lies_is_given_up(
    stills: Stills, viewer: Viewer, notes: list[StillTaken], caplog: pytest.LogCaptureFixture
) -> None:
    viewer.answers = False
    line = viewer.line()

    stills.ask("greedy", line)
    for round_ in range(1, still_module.MOST_ROUNDS + 1):
        await until(lambda ends=round_: viewer.ends() == ends)  # type: ignore[misc]
        stills.heard("expert", StillMissing(id="other", chunks=(0,)))
        stills.heard("expert", StillMissing(id="greedy", chunks=(0, 10_000)))
    await until(lambda: any("again and again" in said for said in caplog.messages))
    stills.ask("liar", line)
    await until(lambda: viewer.ends() == still_module.MOST_ROUNDS + 1)
    stills.heard("expert", StillAck(id="liar", sha256="0" * 64))
    await until(lambda: any("another picture" in said for said in caplog.messages))

    assert notes == []


async def test_answers_to_nothing_are_not_kept(stills: Stills, viewer: Viewer) -> None:
    table = Table()
    stills.sheet = table
    line = viewer.line()
    stills.heard("expert", StillAck(id="k0", sha256="0" * 64))

    stills.ask("k1", line)
    for _ in range(1000):
        stills.heard("expert", StillMissing(id="k1", chunks=(0,)))
    line.close()
    viewer.line()
    table.is_calm.set()
    await until(lambda: len(viewer.got) == 2)

    assert viewer.chunks == sum(one.begin.chunks for one in viewer.got)


async def test_damaged_pictures_are_told(notes: list[StillTaken], stills: Stills, viewer: Viewer) -> None:
    damaged = Jpeg(np.frombuffer(b"\xff\xd8 nothing", np.uint8), (640, 480))
    stills.camera = await started(then=damaged)

    stills.ask("k1", viewer.line())
    await until(lambda: bool(viewer.failures))
    await stills.camera.stop()

    assert viewer.failures == [StillFailed(id="k1", code="camera_lost")]


async def test_a_picture_too_large_for_the_channel_is_told(
    stills: Stills, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MAX_STILL_BYTES", 1000)

    stills.ask("k1", viewer.line())
    await until(lambda: bool(viewer.failures))

    assert viewer.failures == [StillFailed(id="k1", code="too_large")]


async def test_who_went_while_the_picture_was_taken_is_not_told_of_its_failure(
    stills: Stills, viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chunks, "MAX_STILL_BYTES", 1000)
    other = Viewer(stills, "expert2")
    first = viewer.line()
    stills.ask("k1", first)
    first.close()

    line = other.line()
    while not other.failures or other.failures[-1].code == "busy":
        stills.ask("k2", line)
        await asyncio.sleep(0.01)

    assert viewer.failures == []
    assert other.failures[-1] == StillFailed(id="k2", code="too_large")
