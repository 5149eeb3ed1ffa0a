"""Random schedules of deeds and faults against a real server and its file. One server plays several, and is killed in place.

Seeds are kept as a property of each run (`--junit-xml`) and printed when it fails; hypothesis tells the schedule that failed.
"""

import asyncio
import random
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from etapalvelu.sample import rooms
from signaling.errors import RefusedError
from signaling.messages import Decoded, MediaInterrupted, MediaResumed
from tests.faults.conftest import REPEATED
from tests.faults.people import People, Person, RefusedDeedError, Sitter, people_of
from tests.faults.rig import Rig

# Each run of a test plays so many; `make faults` repeats the run 20 times.
SCHEDULES: Final = 10 if REPEATED else 3
KILLS: Final = 10 if REPEATED else 3
LONGEST_SCHEDULE: Final = 14
SEAT_SECONDS: Final = 30.0
PLACES: Final = [room.id for room in rooms(2)]


@dataclass(frozen=True)
class Step:
    """One thing that happens in one room; `kill_ms` after it began the server is killed and started again."""

    what: str
    room: int
    kill_ms: int | None = None


class Play:
    """The sessions and seats of one schedule. What the service refuses is refused; everything else must go well."""

    def __init__(self, rig: Rig, people: People) -> None:
        self._rig = rig
        self._people = people
        self._sessions: dict[str, str] = {}
        self._seated: dict[tuple[str, str], Sitter] = {}
        self.deeds: dict[str, Callable[[str], Awaitable[object]]] = {
            "open": self._open,
            "claim": lambda room: self._do(people.expert, room, "claim"),
            "race": self._race,
            "take over": lambda _room: people.expert2.take(),
            "release": lambda room: self._do(people.expert, room, "release", reason="cannot_serve"),
            "transfer": lambda room: self._do(people.expert, room, "transfer", theme="pensions", code="wrong_theme"),
            "hold": lambda room: self._do(people.expert, room, "hold"),
            "go on": lambda room: self._do(people.expert, room, "continue"),
            "note": lambda room: self._do(people.expert, room, "note", outcomes=["advised"]),
            "close": lambda room: self._do(people.expert, room, "close", cause="completed", outcomes=["advised"]),
            "close against close": self._close_twice,
            "cancel": lambda room: self._do(people.advisor, room, "close", cause="cancelled"),
            "customer leaves": lambda room: self._do(people.screen(room), room, "close", cause="customer_left"),
            "room sits": lambda room: self._sit(people.screen(room), room, "room"),
            "expert sits": lambda room: self._sit(people.expert, room, "expert"),
            "second expert sits": lambda room: self._sit(people.expert2, room, "expert2"),
            "first frames": self._first_frames,
            "media gap": self._gap,
            "expert says bye": self._bye,
            "room cut": lambda room: self._cut(room, "room"),
            "expert cut": lambda room: self._cut(room, "expert"),
            "room dies": lambda room: self._die(room, "room"),
            "expert dies": lambda room: self._die(room, "expert"),
            "server told to stop": self._stop_server,
            "a moment": lambda _room: asyncio.sleep(0.3),
        }

    async def step(self, step: Step) -> None:
        if step.kill_ms is not None and step.what == "server told to stop":
            # It is killed while it ends.
            self._rig.signal(signal.SIGTERM)
            await asyncio.sleep(step.kill_ms / 1000)
            await asyncio.to_thread(restart, self._rig)
            return
        doing = asyncio.ensure_future(self._try(step))
        if step.kill_ms is not None:
            await asyncio.sleep(step.kill_ms / 1000)
            await asyncio.to_thread(restart, self._rig)
        await doing

    async def end(self) -> None:
        """Nobody does anything more: what is open is closed by its advisor, as at the end of a day."""
        for room in list(self._sessions):
            with suppress(RefusedDeedError):
                await self._do(self._people.advisor, room, "close", cause="technical", cause_class="server")
        for key in list(self._seated):
            await self._die(*key)

    async def _try(self, step: Step) -> None:
        if step.what == "open" or PLACES[step.room] in self._sessions:
            with suppress(RefusedDeedError, RefusedError):
                await self.deeds[step.what](PLACES[step.room])

    async def _open(self, room: str) -> None:
        session = await self._people.advisor.open(room)
        self._sessions[room] = session["id"]

    async def _do(self, person: Person, room: str, deed: str, **body: object) -> None:
        session = self._sessions[room]
        await person.deed(deed, f"/sessions/{session}/{deed}", body, session=session)

    async def _race(self, room: str) -> None:
        await asyncio.gather(
            self._do(self._people.expert, room, "claim"),
            self._do(self._people.expert2, room, "claim"),
            return_exceptions=True,
        )

    async def _close_twice(self, room: str) -> None:
        await asyncio.gather(
            self._do(self._people.expert, room, "close", cause="completed"),
            self._do(self._people.advisor, room, "close", cause="cancelled"),
            self._do(self._people.screen(room), room, "close", cause="customer_left"),
            return_exceptions=True,
        )

    async def _sit(self, person: Person, room: str, seat: str) -> None:
        """A seat that is held already is taken anew, as a page does that is loaded again."""
        await self._die(room, seat)
        sitter = person.sit(self._sessions[room], seat)
        try:
            async with asyncio.timeout(SEAT_SECONDS):
                await sitter.__aenter__()
        except (RefusedDeedError, RefusedError):
            await sitter.__aexit__()
            raise
        self._seated[room, seat] = sitter

    async def _first_frames(self, room: str) -> None:
        for seat, peer in (("room", "expert"), ("expert", "room")):
            sitter = self._seated.get((room, seat))
            if sitter is not None:
                await sitter.say(Decoded(peer="room" if peer == "room" else "expert", generation=1, path="host", setup_ms=150))

    async def _gap(self, room: str) -> None:
        sitter = self._seated.get((room, "expert"))
        if sitter is not None:
            await sitter.say(MediaInterrupted(peer="room", cause="site_network", since_ms=500))
            await sitter.say(MediaResumed(peer="room", gap_ms=900))

    async def _bye(self, room: str) -> None:
        sitter = self._seated.get((room, "expert"))
        if sitter is not None:
            await sitter.leave()

    async def _cut(self, room: str, seat: str) -> None:
        sitter = self._seated.get((room, seat))
        if sitter is not None and sitter.client._socket is not None:
            line = sitter.client._socket.get_extra_info("socket")
            if line is not None:
                with suppress(OSError):
                    line.shutdown(socket.SHUT_RDWR)

    async def _die(self, room: str, seat: str) -> None:
        sitter = self._seated.pop((room, seat), None)
        if sitter is not None:
            await sitter.__aexit__()

    async def _stop_server(self, _room: str) -> None:
        await asyncio.to_thread(self._rig.terminate)
        await asyncio.to_thread(self._rig.start)


ACTIONS: Final = (
    "open", "open", "claim", "race", "take over", "release", "transfer", "hold", "go on", "note", "close", "cancel",
    "close against close", "customer leaves", "room sits", "room sits", "expert sits", "expert sits", "second expert sits",
    "first frames", "first frames", "media gap", "expert says bye", "room cut", "expert cut", "room dies", "expert dies",
    "server told to stop", "a moment",
)  # fmt: skip
# Every schedule begins with what most of them need: a customer, an expert, and both of them in their seats.
BEGINNING: Final = ("open", "claim", "room sits", "expert sits", "first frames")
KILL_MS: Final = (*[None] * 16, 0, 4, 15)


@st.composite
def schedules(draw: st.DrawFn) -> list[Step]:
    kills = st.sampled_from(KILL_MS)
    begun = [Step(what, 0, draw(kills)) for what in BEGINNING[: draw(st.integers(1, len(BEGINNING)))]]
    step = st.builds(Step, st.sampled_from(ACTIONS), st.integers(0, len(PLACES) - 1), kills)
    return begun + draw(st.lists(step, min_size=2, max_size=LONGEST_SCHEDULE - len(begun)))


def restart(rig: Rig) -> None:
    rig.kill()
    rig.start()


@pytest.mark.timeout(300)
def test_no_random_schedule_of_faults_puts_the_log_wrong(rig: Rig, record_property: Callable[[str, object], None]) -> None:
    number = secrets.randbelow(2**32)
    record_property("seed", number)
    print(f"seed {number}, {SCHEDULES} schedules")  # noqa: T201 - shown when it fails
    rig.start()

    @seed(number)
    @settings(
        max_examples=SCHEDULES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=schedules())
    def play(steps: list[Step]) -> None:
        asyncio.run(_play(rig, steps))
        assert rig.findings(all_ended=True) == []

    play()
    rig.agrees(all_ended=True)


async def _play(rig: Rig, steps: list[Step]) -> None:
    async with people_of(rig) as people:
        play = Play(rig, people)
        try:
            for step in steps:
                await play.step(step)
        finally:
            await play.end()


async def test_no_deed_that_was_answered_is_lost_by_a_kill_at_any_moment(
    rig: Rig, people: People, record_property: Callable[[str, object], None]
) -> None:
    number = secrets.randbelow(2**32)
    record_property("seed", number)
    dice = random.Random(number)  # noqa: S311 - repeatable on purpose
    print(f"seed {number}, {KILLS} kills")  # noqa: T201 - shown when it fails
    rig.start()
    is_over = asyncio.Event()
    working = [
        asyncio.ensure_future(_deeds(people, people.staff(f"expert{index + 2}"), room.id, is_over))
        for index, room in enumerate(rooms(4))
    ]

    for _ in range(KILLS):
        await asyncio.sleep(dice.uniform(0.02, 0.4))
        await asyncio.to_thread(restart, rig)
    is_over.set()
    served = await asyncio.gather(*working)

    assert min(served) > 0
    rig.agrees(all_ended=True)


async def _deeds(people: People, expert: Person, room: str, is_over: asyncio.Event) -> int:
    """Sessions from their opening to their close, as fast as the server answers; returns how many."""
    served = 0
    while not is_over.is_set():
        session = (await people.advisor.open(room))["id"]
        await expert.claim(session)
        await expert.note(session, "advised")
        await expert.close(session, outcomes=["advised"])
        served += 1
    return served
