"""Stills on their way from the camera to one viewer: taken, sent, acknowledged, and gone on with when the line is replaced.

One still is under way in a call; whoever asks meanwhile is told `busy`. Everything heavy is done in a worker thread.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal, Protocol

from etapalvelu.room.camera import Camera, CameraLostError
from etapalvelu.room.pixels import PictureError
from etapalvelu.room.shot import Quad, Shot, Vision, develop
from etapalvelu.tasks import spawn
from signaling import document, stills
from signaling.document import DocumentError, FromAgent, StillAck, StillBegin, StillDropped, StillMissing
from signaling.messages import Seat, StillTaken

log = logging.getLogger(__name__)

ANSWER_SECONDS: Final = 20.0
RETURN_SECONDS: Final = 20.0
CALM_SECONDS: Final = 1.5
MOST_ROUNDS: Final = 5
# An honest viewer answers once a round.
MOST_ANSWERS: Final = 4


class ViewerGoneError(Exception):
    """The viewer takes nothing more, stopped answering, or never has enough."""


class ChannelClosedError(ViewerGoneError):
    """The data channel closed; its successor may carry the rest."""


class Outlet(Protocol):
    """What a still needs of the viewer's data channel."""

    @property
    def seat(self) -> Seat:
        """Who sits at the other end."""
        ...

    def send(self, message: FromAgent) -> None:
        """Send a message; a channel that has closed meanwhile takes it silently."""
        ...

    async def send_chunk(self, chunk: bytes) -> None:
        """Send a chunk once there is room for it; raises ViewerGoneError, ChannelClosedError when the channel is no more."""
        ...

    def end_chunks(self) -> None:
        """Its successor is there and carries them from now on: sending one raises ChannelClosedError."""
        ...


class Sheet(Protocol):
    """What is known of the sheet on the table."""

    async def calm(self, timeout: float) -> bool:
        """Wait until it lies still; False when it does not in that time."""
        ...

    def sighting(self) -> tuple[int, Quad | None]:
        """The sheet's number, 0 without one, and its corners in camera pixels."""
        ...


class NoSheet:
    """Nobody looks at the table: a still is taken at once."""

    async def calm(self, timeout: float) -> bool:
        return True

    def sighting(self) -> tuple[int, Quad | None]:
        return 0, None


class Stills:
    """Takes and delivers stills, one at a time. `taken` hears of each that arrived; while bytes flow, `yielding` is entered."""

    def __init__(
        self,
        camera: Camera,
        *,
        taken: Callable[[StillTaken], Awaitable[None]],
        vision: Vision,
        sheet: Sheet | None = None,
        yielding: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.camera = camera
        self.taken = taken
        self.vision = vision
        self.sheet = sheet or NoSheet()
        self.yielding = yielding
        self._number = 0
        self._delivery: Delivery | None = None

    def ask(self, still_id: str, outlet: Outlet) -> None:
        """Take a still and bring it to the viewer, or tell it why not; busy from this moment on."""
        refusal = self._refusal(outlet.seat)
        if refusal is not None:
            outlet.send(document.StillFailed(id=still_id, code=refusal))
            return
        self.close()
        self._delivery = Delivery(still_id, outlet, self)

    def opened(self, outlet: Outlet) -> None:
        """A viewer's channel opened: what was on its way to that seat goes on over it."""
        if self._delivery is not None and self._delivery.seat == outlet.seat:
            self._delivery.go_on(outlet)

    def closed(self, outlet: Outlet) -> None:
        """A viewer's channel is no more."""
        if self._delivery is not None:
            self._delivery.interrupt(outlet)

    def heard(self, seat: Seat, answer: StillAck | StillMissing | StillDropped) -> None:
        """What a viewer says to the still it gets."""
        if self._delivery is None or self._delivery.seat != seat:
            return
        if not isinstance(answer, StillDropped):
            self._delivery.hear(answer)
        elif answer.id == self._delivery.id:
            self.close()

    def left(self, seat: Seat) -> None:
        """Nobody sits there any more, so nobody waits for the still."""
        if self._delivery is not None and self._delivery.seat == seat:
            self.close()

    def close(self) -> None:
        """Give up what is under way."""
        if self._delivery is not None:
            self._delivery.stop()
            self._delivery = None

    def next_number(self) -> int:
        """Marks the chunks of the next picture."""
        self._number += 1
        return self._number

    def _refusal(self, seat: Seat) -> str | None:
        if seat not in document.CAPTURE_SEATS:
            return "not_allowed"
        under_way = self._delivery
        if under_way is not None and not under_way.is_done and not (under_way.seat == seat and under_way.only_waits):
            return "busy"
        return None if self.camera.status.camera == "ok" else "camera_lost"


class Delivery:
    """One asking and its pictures, from the burst to the last acknowledgement."""

    def __init__(self, id: str, outlet: Outlet, stills: Stills) -> None:
        self.id = id
        self.seat = outlet.seat
        # Nothing is taken or sent: only the viewer's word is missing, and perhaps it will never come.
        self.only_waits = False
        self._stills = stills
        self._outlet: Outlet | None = outlet
        self._answers: asyncio.Queue[StillAck | StillMissing | None] = asyncio.Queue(MOST_ANSWERS)
        self._has_outlet = asyncio.Event()
        self._has_outlet.set()
        self._work = spawn(self._run(), name="still")

    @property
    def is_done(self) -> bool:
        return self._work.done()

    def hear(self, answer: StillAck | StillMissing | None) -> None:
        """Keep the viewer's answer; None when the channel went. One that talks too much is not listened to."""
        if answer is None and self._answers.full():
            self._answers.get_nowait()
        if not self._answers.full():
            self._answers.put_nowait(answer)

    def go_on(self, outlet: Outlet) -> None:
        """The viewer is back on another channel; whatever was not acknowledged may be lost with the old one."""
        if self._outlet is not None:
            self._outlet.end_chunks()
        self._outlet = outlet
        self._has_outlet.set()
        self.hear(None)

    def interrupt(self, outlet: Outlet) -> None:
        """The channel is gone; another may follow."""
        if outlet is self._outlet:
            self._outlet = None
            self._has_outlet.clear()
            self.hear(None)

    def stop(self) -> None:
        self._work.cancel()

    async def _run(self) -> None:
        try:
            page, shot = await self._take()
            begins = await asyncio.to_thread(self._begins, page, shot)
            self._tell("sending")
            for place, begin in enumerate(begins):
                await self._bring(begin, shot.prints[place].jpeg, is_last=begin is begins[-1])
                if place == 0:
                    await self._stills.taken(_note(begins, shot))
        except CameraLostError:
            self._fail("camera_lost")
        except DocumentError:
            self._fail("too_large")
        except ViewerGoneError as error:
            log.warning("still was not delivered: %s", error)

    async def _take(self) -> tuple[int, Shot]:
        """The pictures, and the number of the sheet; raises CameraLostError."""
        sheet = self._stills.sheet
        self._tell("calm")
        await sheet.calm(CALM_SECONDS)
        self._tell("burst")
        page, near = sheet.sighting()
        pictures = await self._stills.camera.burst()
        self._tell("page")
        try:
            return page, await asyncio.to_thread(develop, pictures, self._stills.vision, near)
        except PictureError as error:
            raise CameraLostError("the document camera sent damaged pictures") from error

    def _begins(self, page: int, shot: Shot) -> list[StillBegin]:
        """What is announced of each picture; raises DocumentError when one is too large to be sent."""
        return [
            stills.begin(
                id=self.id if place == 0 else f"{self.id[:28]}-{taken.part}",
                capture=self.id,
                part=taken.part,
                page=page,
                verdict=shot.verdict,
                corners=taken.corners,
                ppi=taken.ppi,
                turn=taken.turn,
                number=self._stills.next_number(),
                data=taken.jpeg,
                width=taken.width,
                height=taken.height,
            )
            for place, taken in enumerate(shot.prints)
        ]

    async def _bring(self, begin: StillBegin, data: bytes, *, is_last: bool) -> None:
        """Send one picture until it is acknowledged, however many rounds and channels that needs; raises ViewerGoneError."""
        wanted: tuple[int, ...] | None = None
        announce, may_only_wait = True, is_last and begin.id != self.id
        for _ in range(MOST_ROUNDS):
            try:
                with self._stills.yielding():
                    await self._send(begin, data, wanted, announce=announce)
                    answer = await self._answer(begin.id, only_waits=may_only_wait)
            except ChannelClosedError:
                await self._come_back()
                # What arrived only the viewer knows, if it is still the same.
                wanted, announce, may_only_wait = (), True, True
                continue
            if isinstance(answer, StillAck):
                if answer.sha256 != begin.sha256:
                    raise ViewerGoneError("the viewer acknowledged another picture")
                log.info("picture of a still delivered, part=%s, bytes=%d", begin.part, begin.size)
                return
            wanted, announce = answer.chunks, False
        raise ViewerGoneError("the viewer misses chunks again and again")

    async def _send(self, begin: StillBegin, data: bytes, wanted: tuple[int, ...] | None, *, announce: bool) -> None:
        outlet = self._outlet
        if outlet is None:
            raise ChannelClosedError("the channel closed")
        # What was said before cannot answer what is sent now.
        while not self._answers.empty():
            self._answers.get_nowait()
        if announce:
            outlet.send(begin)
        for chunk in stills.cut(begin, data, wanted):
            await outlet.send_chunk(chunk)
        outlet.send(document.StillEnd(id=begin.id))

    async def _answer(self, id: str, *, only_waits: bool) -> StillAck | StillMissing:
        self.only_waits = only_waits
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    answer = await self._answers.get()
                    if answer is None:
                        raise ChannelClosedError("the channel closed")
                    if answer.id == id:
                        return answer
        except TimeoutError:
            raise ViewerGoneError("the viewer does not answer") from None
        finally:
            self.only_waits = False

    async def _come_back(self) -> None:
        """Wait for the viewer's next channel; raises ViewerGoneError."""
        self.only_waits = True
        try:
            async with asyncio.timeout(RETURN_SECONDS):
                await self._has_outlet.wait()
        except TimeoutError:
            raise ViewerGoneError("the viewer did not come back") from None
        finally:
            self.only_waits = False
        log.info("a still goes on over a new connection")

    def _tell(self, stage: Literal["calm", "burst", "page", "sending"]) -> None:
        if self._outlet is not None:
            self._outlet.send(document.StillProgress(id=self.id, stage=stage))

    def _fail(self, code: str) -> None:
        if self._outlet is not None:
            self._outlet.send(document.StillFailed(id=self.id, code=code))


def _note(begins: list[StillBegin], shot: Shot) -> StillTaken:
    """The log's word of a still: the first picture, and the raw one it was made from."""
    first, raw = begins[0], begins[-1]
    return StillTaken(
        sha256=first.sha256,
        size=first.size,
        width=first.width,
        height=first.height,
        verdict=shot.verdict.code,
        raw_sha256=None if raw is first else raw.sha256,
    )
