"""Who lives in the simulated rooms: devices that sit down when told, advisors who open, experts who take, and their faults.

Each throws dice of their own. Nothing here judges: whoever lives through a fault goes on as the real pages and programs do.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from bench.simulate_clients import API, Answer, Client, Sitting, World
from bench.simulate_server import LANGUAGES, THEMES, Known, point_of
from etapalvelu.tasks import spawn, stop
from signaling.messages import Seat

__all__ = ["API", "Day", "Device", "Expert", "Habits", "RoomLife"]

LOOK_SECONDS: Final = 2.0
SEAT_RETRY_SECONDS: Final = 1.0
# Codes after which a device's own program sits down no more in this session.
FINAL: Final = frozenset({"call_over", "replaced", "login_ended", "wrong_state", "not_found"})
OUTCOMES: Final = ("advised", "application_received", "guided_online", "not_resolved")


@dataclass(frozen=True, kw_only=True)
class Habits:
    """Seconds, and how probable each thing is in one session. `away` is how long a seat is kept."""

    away: float
    idle: tuple[float, float] = (0.5, 12.0)
    service: tuple[float, float] = (1.0, 12.0)
    look: tuple[float, float] = (1.0, 5.0)
    cancel: float = 0.06
    customer_leaves: float = 0.04
    race: float = 0.25
    transfer: float = 0.06
    hold: float = 0.12
    release: float = 0.04
    gap: float = 0.15
    cut: float = 0.15
    reload: float = 0.08
    death: float = 0.06
    long_death: float = 0.04


@dataclass(kw_only=True)
class Day:
    """No session is opened once it is `closing`; from then on no faults befall people either."""

    habits: Habits
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_calm(self) -> bool:
        return self.closing.is_set()


class Device:
    """A room's screen or agent: follows `/live`, sits in the session it hears of, and is struck by faults meanwhile."""

    def __init__(self, world: World, day: Day, room: str, seat: Seat, token: str) -> None:
        self.world = world
        self.day = day
        self.seat = seat
        self.client = Client(world, f"{seat}-{room}", token, f"device:{room}")
        self.session = ""
        self.sitting: Sitting | None = None
        self.changed = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        self._attending: asyncio.Task[None] | None = None

    def start(self) -> None:
        page = "room" if self.seat == "room" else "agent"
        self._tasks = [spawn(self.client.follow(page, self._hear), f"live {self.client.name}")]

    async def end(self) -> None:
        """Without a word, as when a PC loses its power."""
        tasks = [*self._tasks, *([self._attending] if self._attending else [])]
        self._tasks, self._attending, self.session = [], None, ""
        await stop(*tasks)
        if self.sitting is not None:
            await self.sitting.die()
            self.sitting = None

    async def away(self, seconds: float) -> None:
        """The machine is gone for so long; then its program begins anew, with a fresh ticket."""
        await self.end()
        await asyncio.sleep(seconds)
        self.start()

    def _hear(self, event: str, data: dict[str, Any]) -> None:
        if event not in ("session", "none"):
            return
        session = str(data.get("id", ""))
        if session == self.session:
            return
        self.session = session
        self.changed.set()
        if self._attending is not None:
            self._attending.cancel()
        self._attending = spawn(self._attend(session), f"attend {self.client.name}") if session else None

    async def _attend(self, session: str) -> None:
        if self.sitting is not None and not self.sitting.is_over:
            await self.sitting.bye()
        while True:
            self.sitting = Sitting(self.client, session, self.seat)
            befalling = spawn(self._befall(self.sitting), "befall")
            try:
                why = await self.sitting.over()
            finally:
                befalling.cancel()
            self.world.counts[f"device not seated {why}"] += not self.sitting.welcomed.is_set()
            if why in FINAL or self._is_a_cause(why):
                self.changed.set()
                return
            await asyncio.sleep(SEAT_RETRY_SECONDS)

    def _is_a_cause(self, why: str) -> bool:
        return why in ("completed", "customer_left", "cancelled", "hours_ended", "no_expert", "technical", "lost")

    async def _befall(self, sitting: Sitting) -> None:
        dice, habits = self.client.dice, self.day.habits
        await sitting.welcomed.wait()
        await asyncio.sleep(dice.uniform(0.1, habits.service[1]))
        if self.day.is_calm:
            return
        if dice.random() < habits.cut:
            self.world.fault(self.client.name, "socket cut")
            sitting.cut()
        if dice.random() < habits.gap:
            self.world.fault(self.client.name, "media gap")
            sitting.lose_media()
        # What ends this very task is done by another one.
        if dice.random() < habits.reload:
            self.world.fault(self.client.name, "page reloaded")
            spawn(self.away(dice.uniform(0.05, 0.4)), "reload")
        elif dice.random() < habits.death:
            self.world.fault(self.client.name, "device died, back within the limit")
            spawn(self.away(dice.uniform(0.2, 0.5) * habits.away), "death")
        elif dice.random() < habits.long_death:
            self.world.fault(self.client.name, "device died, back after the limit")
            spawn(self.away(dice.uniform(1.2, 1.6) * habits.away), "long death")


class RoomLife:
    """One room: customers come, the advisor opens for them, some leave early."""

    def __init__(self, world: World, day: Day, known: Known, room: str) -> None:
        self.world = world
        self.day = day
        self.room = room
        point = point_of(room)
        self.screen = Device(world, day, room, "room", known.screens[room])
        self.agent = Device(world, day, room, "camera", known.agents[room])
        self.advisor = Client(world, f"advisor-{room}", known.advisors[point], f"staff:advisor-{point}")
        self.dice = world.dice(f"life {room}")

    async def live(self) -> None:
        """Until the day is over and the last session here has ended."""
        self.screen.start()
        self.agent.start()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self.dice.uniform(*self.day.habits.idle)):
                    await self.day.closing.wait()
            if self.day.closing.is_set():
                return
            await self._serve_one()

    async def end(self) -> None:
        await self.screen.end()
        await self.agent.end()

    async def _serve_one(self) -> None:
        wish = {
            "room": self.room,
            "theme": self.dice.choice(THEMES),
            "language": self.dice.choice(LANGUAGES),
            "reason": "advice",
        }
        answer = await self.advisor.deed("/sessions", wish)
        if not answer.is_ok:
            self.world.counts[f"opening refused {answer.body.get('code', answer.status)}"] += 1
            return
        self.world.counts["sessions"] += 1
        session = str(answer.body["id"])
        leaving = spawn(self._leave_early(session), "leave early")
        while not await self._is_over(session):
            self.screen.changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.dice.uniform(1, 3) * LOOK_SECONDS):
                    await self.screen.changed.wait()
        await stop(leaving)

    async def _is_over(self, session: str) -> bool:
        answer = await self.advisor.read(session)
        return bool(answer.body.get("state") == "closed")

    async def _leave_early(self, session: str) -> None:
        habits, chance = self.day.habits, self.dice.random()
        await asyncio.sleep(self.dice.uniform(0, habits.service[1]))
        if chance < habits.cancel:
            self.world.fault(self.advisor.name, "advisor cancels")
            await self.advisor.deed(f"/sessions/{session}/close", {"cause": "cancelled"})
        elif chance < habits.cancel + habits.customer_leaves:
            self.world.fault(self.screen.client.name, "customer leaves")
            await self.screen.client.deed(f"/sessions/{session}/close", {"cause": "customer_left"})


class Expert:
    """Takes what waits, one after the other, and mostly serves it to its end."""

    def __init__(self, world: World, day: Day, account: str, token: str) -> None:
        self.world = world
        self.day = day
        self.client = Client(world, account, token, f"staff:{account}")
        self.dice = self.client.dice

    async def work(self) -> None:
        """Until cancelled."""
        while True:
            answer = await self._take()
            if answer.is_ok and "id" in answer.body:
                await self._serve(str(answer.body["id"]), answer.body.get("ticket"))
            else:
                await asyncio.sleep(self.dice.uniform(*self.day.habits.look))

    async def _take(self) -> Answer:
        """The oldest, or, as people do, one of those first in the list: two may want the same."""
        if self.dice.random() >= self.day.habits.race:
            return await self.client.deed("/sessions/take")
        queue = (await self.client.get("/queue")).body.get("sessions", [])
        if not queue:
            return Answer()
        answer = await self.client.deed(f"/sessions/{self.dice.choice(queue[:2])['id']}/claim")
        if answer.status == HTTPStatus.CONFLICT:
            self.world.counts["claims lost to another"] += 1
        return answer

    async def _serve(self, session: str, ticket: str | None) -> None:
        habits, begun = self.day.habits, asyncio.get_running_loop().time()
        if self._happens(habits.long_death, "expert died before joining"):
            await asyncio.sleep(habits.away)
            return
        sitting = await self._sit(session, ticket)
        if sitting is None:
            return
        try:
            async with asyncio.timeout(self.dice.uniform(0.6, 1) * habits.away):
                await sitting.decoded.wait()
            self.world.setups.append(asyncio.get_running_loop().time() - begun)
        except TimeoutError:
            self.world.counts["no picture in time"] += 1
        sitting = await self._talk(session, sitting)
        if sitting is not None and not sitting.is_over:
            await self._finish(session, sitting)
        if sitting is not None:
            await sitting.die()

    async def _sit(self, session: str, ticket: str | None) -> Sitting | None:
        """In the seat that is this expert's now, which after a transfer is the second one."""
        for seat in ("expert", "expert2"):
            sitting = Sitting(self.client, session, "expert" if seat == "expert" else "expert2", ticket)
            with suppress(TimeoutError):
                async with asyncio.timeout(2 * self.day.habits.away):
                    await sitting.settled.wait()
            if sitting.welcomed.is_set():
                return sitting
            await sitting.die()
            if sitting.why != "forbidden":
                break
        self.world.counts[f"expert not seated {sitting.why}"] += 1
        return None

    async def _talk(self, session: str, sitting: Sitting) -> Sitting | None:
        """Some seconds in the call; None when the expert is gone for good."""
        habits = self.day.habits
        await self._spend(sitting, 0.5)
        if self._happens(habits.hold, "hold"):
            await self.client.deed(f"/sessions/{session}/hold")
            await self._spend(sitting, 0.3)
            await self.client.deed(f"/sessions/{session}/continue")
        if self._happens(habits.cut, "socket cut"):
            sitting.cut()
        if self._happens(habits.gap, "media gap"):
            sitting.lose_media()
        if self._happens(habits.reload, "page reloaded"):
            await sitting.die()
            await asyncio.sleep(self.dice.uniform(0.05, 0.4))
            return await self._sit(session, None)
        if self._happens(habits.death, "expert died, back within the limit"):
            await sitting.die()
            await asyncio.sleep(self.dice.uniform(0.2, 0.5) * habits.away)
            return await self._sit(session, None)
        if self._happens(habits.long_death, "expert died, back after the limit"):
            await sitting.die()
            await asyncio.sleep(self.dice.uniform(1.2, 1.6) * habits.away)
            return None
        await self._spend(sitting, 0.5)
        return sitting

    async def _finish(self, session: str, sitting: Sitting) -> None:
        habits = self.day.habits
        if self._happens(habits.release, "expert gives back"):
            await self.client.deed(f"/sessions/{session}/release", {"reason": "wrong_theme"})
            return
        if self._happens(habits.transfer, "transfer"):
            wish = {"theme": self.dice.choice(THEMES), "code": "wrong_theme"}
            answer = await self.client.deed(f"/sessions/{session}/transfer", wish)
            if answer.is_ok and await self._is_followed(sitting):
                await sitting.bye()
                return
        body = {"cause": "completed", "outcomes": [self.dice.choice(OUTCOMES)]}
        answer = await self.client.deed(f"/sessions/{session}/close", body)
        self.world.counts[f"close answered {answer.body.get('code', answer.status)}"] += 1

    async def _is_followed(self, sitting: Sitting) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.day.habits.away):
                await sitting.successor.wait()
        return sitting.successor.is_set()

    async def _spend(self, sitting: Sitting, share: float) -> None:
        """A part of the time of service, or until the call ends."""
        with suppress(TimeoutError):
            async with asyncio.timeout(share * self.dice.uniform(*self.day.habits.service)):
                await sitting.over()

    def _happens(self, probability: float, what: str) -> bool:
        happens = self.dice.random() < probability and not self.day.is_calm
        if happens:
            self.world.fault(self.client.name, what)
        return happens
