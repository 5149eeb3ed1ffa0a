"""Stand-ins for the edges: the clock, the calendar, and signaling as the desk sees it. Tested in test_fakes.py."""

from datetime import UTC, date, datetime, timedelta

from signaling.messages import Description, Waiting


class FakeClock:
    """A clock that moves only when told to. Starts on an ordinary Monday morning, 10:00 in Helsinki."""

    def __init__(self, now: datetime = datetime(2026, 8, 17, 7, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **amount: float) -> None:
        self.now += timedelta(**amount)


class FakeCalendar:
    """Holidays are the days it was given."""

    def __init__(self, *holidays: date) -> None:
        self._holidays = set(holidays)

    def is_holiday(self, day: date) -> bool:
        return day in self._holidays


class FakeCalls:
    """Remembers what the desk asked of signaling, in order."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.offers: list[Waiting] = []
        self.promised: list[tuple[str, str, str]] = []

    async def end(self, call: str, reason: str) -> None:
        self.asked.append(("end", call, reason))

    async def unseat(self, call: str, seat: str, reason: str, who: str | None = None) -> None:
        self.asked.append(("unseat", call, seat, reason, *([who] if who else [])))

    async def keep_apart(self, call: str, seats: frozenset[str]) -> None:
        self.asked.append(("keep_apart", call, *sorted(seats)))

    def waiting(self, call: str, seat: str, who: str) -> list[Waiting]:
        return [] if seat != "expert" else self.offers

    def promise(self, call: str, seat: str, who: str) -> None:
        self.promised.append((call, seat, who))

    async def answer(self, call: str, seat: str, who: str, answer: Description) -> bool:
        self.asked.append(("answer", call, seat, who, answer.description.type))
        return bool(self.offers)
