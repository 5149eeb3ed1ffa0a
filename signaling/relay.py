"""What several nodes must tell each other, as a Protocol, and the version for one node.

A node reports its own sockets' comings and goings to its own desk; only orders and used tickets cross.
"""

from collections.abc import Awaitable, Callable
from typing import Protocol

from msgspec import Struct

from signaling.messages import Seat


class EndCall(Struct, frozen=True, tag="end_call"):
    """The call is over."""

    call: str
    reason: str


class Unseat(Struct, frozen=True, tag="unseat"):
    """The seat is taken from `who`, or from whoever sits there."""

    call: str
    seat: Seat
    reason: str
    who: str | None = None


class KeepApart(Struct, frozen=True, tag="keep_apart"):
    """The lines of these seats, and of no others, are kept cut."""

    call: str
    seats: frozenset[Seat]


class DropLogin(Struct, frozen=True, tag="drop_login"):
    """A login or device was revoked."""

    login: str


Order = EndCall | Unseat | KeepApart | DropLogin
Receiver = Callable[[Order], Awaitable[None]]


class Relay(Protocol):
    """Carries orders to every node, the sender included, and remembers tickets used on any."""

    def attach(self, receiver: Receiver) -> None:
        """Deliver every order to `receiver` from now on."""

    async def spread(self, order: Order) -> None:
        """Carry the order out on every node; returns when this node has done it."""

    async def use_ticket(self, ticket: str, expires: float, now: float) -> bool:
        """True for the first node and time that shows this ticket id; remembered until it expires."""


class LocalRelay:
    """The one-node Relay."""

    def __init__(self) -> None:
        self._receivers: list[Receiver] = []
        self._used: dict[str, float] = {}

    def attach(self, receiver: Receiver) -> None:
        self._receivers.append(receiver)

    async def spread(self, order: Order) -> None:
        for receiver in self._receivers:
            await receiver(order)

    async def use_ticket(self, ticket: str, expires: float, now: float) -> bool:
        # Tickets live a minute, and are shown in about the order they were minted: the front holds the oldest.
        while self._used and next(iter(self._used.values())) <= now:
            del self._used[next(iter(self._used))]
        if ticket in self._used:
            return False
        self._used[ticket] = expires
        return True
