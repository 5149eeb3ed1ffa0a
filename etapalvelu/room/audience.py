"""Who is shown the document in one call, and over which connection: offers in advance, new generations, changes of seats.

The agent always offers. Generations of a seat only ever rise, so an old answer can never meet a new connection.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Final

from etapalvelu.room.rate import KnownRates
from etapalvelu.room.relay import Relays
from etapalvelu.room.server import IceServer
from etapalvelu.room.stream import DocumentStream, View
from etapalvelu.room.viewer import BadAnswerError, Viewer
from etapalvelu.tasks import spawn
from signaling.messages import (
    ROOM_SEATS,
    CandidateFrom,
    Description,
    DescriptionFrom,
    Noted,
    Quality,
    RestartFrom,
    Seat,
    SeatJoined,
    SeatLeft,
    SessionDescription,
    Welcome,
)

log = logging.getLogger(__name__)

VIEWERS: Final[frozenset[Seat]] = frozenset({"room", "expert", "expert2"})
# Who will surely come finds an offer waiting; the others get theirs when they sit down.
IN_ADVANCE: Final[frozenset[Seat]] = frozenset({"room", "expert"})
CONNECT_SECONDS: Final = 15.0
# Without the address of a relay that was to be used: a direct way shows itself at once or not at all.
DIRECT_SECONDS: Final = 4.0
CLOSE_SECONDS: Final = 1.0
# Whoever looks closes the old connection as soon as the new one shows a picture; one that does not say so has had its time.
OVERLAP_SECONDS: Final = 8.0
SAMPLE_SECONDS: Final = 10.0
# The service writes down one word about the ends of each line in 5 s.
SAY_SECONDS: Final = 5.5
FIRST_RETRY_SECONDS: Final = 1.0
LAST_RETRY_SECONDS: Final = 5.0

Send = Callable[[Description | Quality | Noted], Awaitable[None]]
Furnish = Callable[[Viewer], None]


class Place:
    """One seat's connections: the one in use and, for a moment, its successor or the one before it."""

    def __init__(self, seat: Seat, audience: "Audience") -> None:
        self.seat = seat
        # None while nobody sits there: the offer waits for whoever comes first.
        self.epoch: int | None = None
        self._audience = audience
        self._generation = audience.before_first
        self._current: Viewer | None = None
        self._coming: Viewer | None = None
        # It stays until the other end, which sees whether its successor shows a picture, closes it.
        self._past: Viewer | None = None
        self._parting: asyncio.TimerHandle | None = None
        self._retry = FIRST_RETRY_SECONDS
        self._said: Viewer | None = None
        self._said_at = -SAY_SECONDS
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        return self._current is not None

    @property
    def is_waiting(self) -> bool:
        """An offer is out that nobody has answered yet."""
        newest = self._coming or self._current
        return newest is not None and not newest.answered

    @property
    def shown(self) -> Viewer | None:
        """The connection that works."""
        return self._current if self._current is not None and self._current.state == "connected" else None

    def begin(self) -> None:
        """Offer a new generation; a connection that works stays until the new one does."""
        self._stop_timer()
        self._generation += 1
        viewer = self._audience.viewer(self.seat, self._generation, self._changed)
        if self.shown is not None:
            self._part_with(self._coming)
            self._coming = viewer
        else:
            self._part_with(self._current)
            self._part_with(self._coming)
            self._current, self._coming = viewer, None
        self._audience.spawn(self._offer(viewer), f"offer to {self.seat}")

    def restart(self, generation: int) -> None:
        """The other side says that this generation failed; an older one has its successor already."""
        if generation >= self._generation:
            self._audience.spawn(self._begin_anew(generation), f"new line to {self.seat}")

    async def take_answer(self, message: DescriptionFrom) -> None:
        viewer = self._viewer(message.generation)
        if viewer is None or message.description.type != "answer":
            return
        self._start_timer(DIRECT_SECONDS if viewer.lacks_relay else CONNECT_SECONDS, lambda: self._changed(viewer))
        await viewer.answer(message.description.sdp)

    async def take_candidate(self, message: CandidateFrom) -> None:
        viewer = self._viewer(message.generation)
        if viewer is not None:
            await viewer.candidate(message.candidate)

    def renew_offer(self) -> None:
        """Make an offer anew that nobody has answered."""
        if self.is_waiting:
            self.begin()

    def renew(self, seconds: float) -> None:
        """Make a connection anew whose relay credentials are that old: an offer nobody has answered, or one through a relay."""
        if self._coming is not None and self._coming.age < seconds:
            # It has newer ones, and is to be given the time it takes to come up.
            return
        shown = self.shown
        if self.is_waiting or (shown is not None and shown.age >= seconds and shown.is_relayed):
            self.begin()

    def close(self) -> None:
        """Let go of every connection with this seat."""
        self._stop_timer()
        self._part_with_past()
        self._part_with(self._current)
        self._part_with(self._coming)
        self._current = self._coming = None
        self.epoch = None

    async def _begin_anew(self, generation: int) -> None:
        """What took the line may have taken a way to the relay as well: to find that out by the connection takes seconds."""
        await self._audience.look_for_relays(self.seat)
        if self.is_open and generation >= self._generation:
            self.begin()

    async def _offer(self, viewer: Viewer) -> None:
        if viewer.is_closed:
            return
        sdp = await viewer.offer()
        if viewer not in (self._current, self._coming):
            return
        if viewer.lacks_relay:
            self._do_without(viewer)
        # Where only relays may be used it would tell of no way at all.
        if viewer.has_relay or not viewer.is_relay_only:
            description = SessionDescription(type="offer", sdp=sdp)
            await self._audience.send(Description(to=self.seat, generation=viewer.generation, description=description))

    def _do_without(self, viewer: Viewer) -> None:
        """The relay gave this connection no address: the next one asks another, while nobody has answered this one."""
        self._audience.missed_relay(viewer)
        if viewer.is_relay_only or self._audience.has_other_relay(viewer):
            self._start_timer(self._retry, lambda: None if viewer.answered else self.begin())
            self._retry = min(self._retry * 2, LAST_RETRY_SECONDS)

    def _viewer(self, generation: int) -> Viewer | None:
        return next((one for one in (self._current, self._coming) if one and one.generation == generation), None)

    def _changed(self, viewer: Viewer) -> None:
        """A connection came up, broke, or did not come up in time."""
        if viewer is self._past:
            self._part_with_past()
        if viewer not in (self._current, self._coming):
            return
        if viewer is self._current and viewer.state == "broken" and self._coming is not None:
            # Its successor is on the way already.
            self._part_with(viewer)
            self._current, self._coming = self._coming, None
            return
        self._stop_timer()
        if viewer.state == "connected":
            log.info("document is shown to %s, generation=%d, way=%s", self.seat, viewer.generation, viewer.way)
            self._retry = FIRST_RETRY_SECONDS
            self._audience.reached(viewer)
            if viewer is self._coming:
                self._succeed(viewer)
            self._audience.spawn(self.say_ends(), f"ends of the line to {self.seat}")
            return
        log.warning("document connection to %s broke, generation=%d", self.seat, viewer.generation)
        self._audience.broke(viewer)
        self._start_timer(self._retry, self.begin)
        self._retry = min(self._retry * 2, LAST_RETRY_SECONDS)

    def _succeed(self, viewer: Viewer) -> None:
        self._part_with_past()
        self._past, self._current, self._coming = self._current, viewer, None
        self._parting = asyncio.get_running_loop().call_later(OVERLAP_SECONDS, self._part_with_past)

    def _part_with_past(self) -> None:
        if self._parting is not None:
            self._parting.cancel()
        self._part_with(self._past)
        self._past = self._parting = None

    async def say_ends(self) -> None:
        """Say once of each connection between which certificates it is encrypted; soon after another it waits for its turn."""
        viewer, now = self.shown, asyncio.get_running_loop().time()
        if viewer is None or viewer is self._said or now - self._said_at < SAY_SECONDS or viewer.ends is None:
            return
        self._said, self._said_at = viewer, now
        await self._audience.send(Noted(note=viewer.ends))

    def _part_with(self, viewer: Viewer | None) -> None:
        if viewer is not None:
            self._audience.part_with(viewer)

    def _start_timer(self, seconds: float, what: Callable[[], None]) -> None:
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(seconds, what)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Audience:
    """All seats of one call that may see the document. `furnish` gives each new viewer its data channel."""

    def __init__(
        self,
        *,
        view: View,
        send: Send,
        furnish: Furnish,
        rates: KnownRates | None = None,
        relays: Relays | None = None,
        before_first: int = 0,
    ) -> None:
        """`before_first` is the generation before our first: no earlier run of ours in this call may have counted beyond it."""
        self.send = send
        self.before_first = before_first
        self._rates = rates or KnownRates()
        self._relays = relays or Relays()
        self._sampling: asyncio.Task[None] | None = None
        self.ice_servers: Sequence[IceServer] = ()
        self.is_relay_only = False
        self.stream = DocumentStream(view)
        self._furnish = furnish
        self._places: dict[Seat, Place] = {}
        self._own_epoch = 0
        self._working: set[asyncio.Task[None]] = set()

    def viewer(self, seat: Seat, generation: int, changed: Callable[[Viewer], None]) -> Viewer:
        """A new connection for a seat, with its data channel. The screen stands in the same room and needs no relay."""
        viewer = Viewer(
            seat,
            generation,
            stream=self.stream,
            rates=self._rates,
            ice_servers=[] if seat in ROOM_SEATS else self._relays.choose(self.ice_servers),
            relay_only=self.is_relay_only and seat not in ROOM_SEATS,
            changed=changed,
        )
        self._furnish(viewer)
        return viewer

    def reached(self, viewer: Viewer) -> None:
        """A connection came up: what it goes by is used first from now on."""
        if viewer.relay is not None and viewer.is_relayed:
            self._relays.worked(viewer.relay)

    def broke(self, viewer: Viewer) -> None:
        """A connection broke or did not come up: see which relays there are before the next one is made."""
        if viewer.relay is not None and not viewer.was_connected:
            self._relays.failed(viewer.relay)
        self._relays.look(self.ice_servers)

    async def look_for_relays(self, seat: Seat) -> None:
        """Return when it is known which relays a new connection for this seat may go by, or soon when that stays unknown."""
        if seat not in ROOM_SEATS:
            await self._relays.look_and_wait(self.ice_servers)

    def missed_relay(self, viewer: Viewer) -> None:
        """A relay gave no address."""
        if viewer.relay is not None:
            self._relays.failed(viewer.relay)
        self._relays.look(self.ice_servers)

    def has_other_relay(self, viewer: Viewer) -> bool:
        """There is another relay address that may work."""
        return self._relays.fault(self.ice_servers) is None and self._relays.first(self.ice_servers) != viewer.relay

    def part_with(self, viewer: Viewer) -> None:
        """Close a connection without waiting for it."""
        self.spawn(viewer.close(), f"close {viewer.seat}")

    def spawn(self, work: Coroutine[None, None, None], name: str) -> None:
        """Start work that `close` waits for."""
        task = spawn(work, name=name)
        self._working.add(task)
        task.add_done_callback(self._working.discard)

    def welcome(self, welcome: Welcome) -> None:
        """Our seat is taken, or taken up again: bring every place in line with who is there.

        Who is missing after a resume may only be slower than we are to come back to a restarted server, and the
        picture does not depend on it: such a connection stays until it breaks or the seat is told to be left.
        """
        if self._sampling is None:
            self._sampling = spawn(self._sample(), name="samples of the lines")
        if welcome.epoch != self._own_epoch:
            for place in self._places.values():
                place.close()
            self._own_epoch = welcome.epoch
        else:
            # A restarted server has forgotten the offers it kept for seats still to be taken.
            self.renew_offers()
        for other in welcome.present:
            self.joined(SeatJoined(seat=other.seat, epoch=other.epoch))
        for seat in IN_ADVANCE:
            self._prepare(seat)

    def joined(self, message: SeatJoined) -> None:
        if message.seat not in VIEWERS:
            return
        place = self._place(message.seat)
        if place.epoch == message.epoch:
            return
        # An offer made in advance is already in the newcomer's hands.
        if place.epoch is not None or not place.is_open:
            place.close()
            place.begin()
        place.epoch = message.epoch

    def left(self, message: SeatLeft) -> None:
        if message.seat in VIEWERS:
            self._place(message.seat).close()
            self._prepare(message.seat)

    async def receive(self, message: DescriptionFrom | CandidateFrom | RestartFrom) -> None:
        """What a seat sent for one of our connections."""
        place = self._places.get(message.from_)
        if place is None:
            return
        try:
            match message:
                case DescriptionFrom():
                    await place.take_answer(message)
                case CandidateFrom():
                    await place.take_candidate(message)
                case RestartFrom():
                    place.restart(message.generation)
        except BadAnswerError as error:
            log.warning("%s", error)
        # What one seat sends must not end the picture of the others.
        except Exception:
            log.exception("a message of %s could not be handled", message.from_)

    def renew_offers(self) -> None:
        """Make the offers anew that nobody has answered yet: they are lost."""
        for place in self._places.values():
            place.renew_offer()

    def renew(self, seconds: float) -> None:
        """Beside such offers, make the connections anew that go through a relay with credentials that old."""
        for place in self._places.values():
            place.renew(seconds)

    async def close(self) -> None:
        """Close every connection and wait until all are closed, but not for one that still looks for addresses."""
        if self._sampling is not None:
            self._sampling.cancel()
        for place in self._places.values():
            place.close()
        self._places.clear()
        if self._working:
            await asyncio.wait(self._working, timeout=CLOSE_SECONDS)
        self.stream.close()

    async def _sample(self) -> None:
        """Tell the service how the lines are, for the session's timeline."""
        while True:
            await asyncio.sleep(SAMPLE_SECONDS)
            for place in list(self._places.values()):
                viewer = place.shown
                await place.say_ends()
                if viewer is not None and (stats := await viewer.samples()):
                    await self.send(Quality(peer=place.seat, generation=viewer.generation, stats=stats))

    def _prepare(self, seat: Seat) -> None:
        if seat in IN_ADVANCE and not self._place(seat).is_open:
            self._place(seat).begin()

    def _place(self, seat: Seat) -> Place:
        return self._places.setdefault(seat, Place(seat, self))
