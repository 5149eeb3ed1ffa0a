"""What waits for a seat nobody reads at the moment: offers made in advance, and what an away seat missed. No I/O.

Bounded: one description of each type and HELD_CANDIDATES candidates for each pair of seats.
"""

from typing import Final

from signaling.messages import CandidateFrom, DescriptionFrom, RestartFrom, Seat, SeatJoined, SeatLeft

HELD_CANDIDATES: Final = 64

Carried = DescriptionFrom | CandidateFrom | RestartFrom
News = SeatJoined | SeatLeft


class Mailbox:
    """The mail of all seats of one call."""

    def __init__(self) -> None:
        self._mail: dict[tuple[Seat, Seat], list[Carried]] = {}
        self._news: dict[Seat, dict[Seat, News]] = {}

    def offer_in_advance(self, to: Seat, message: Carried) -> None:
        """Keep the newest offer for a vacant seat with its candidates; anything without an offer is of no use."""
        if _is_offer(message):
            self._mail[message.from_, to] = [message]
        elif isinstance(message, CandidateFrom) and (message.from_, to) in self._mail:
            self._append(to, message)

    def keep(self, to: Seat, message: Carried) -> None:
        """Keep what an away seat will need when it is back: the newest generation from each other seat."""
        held = self._mail.get((message.from_, to), [])
        if _is_offer(message) or not held or message.generation > held[0].generation:
            self._mail[message.from_, to] = [message]
        else:
            self._append(to, message)

    def tell_later(self, to: Seat, news: News) -> None:
        """Keep the newest coming or going of each other seat for an away seat."""
        self._news.setdefault(to, {})[news.seat] = news

    def held(self, to: Seat) -> list[Carried]:
        """What others have sent for the seat: people's mail, then the camera's, which is heavier and is answered later."""
        pairs = sorted((pair for pair in self._mail if pair[1] == to), key=lambda pair: pair[0] == "camera")
        return [message for pair in pairs for message in self._mail[pair]]

    def take(self, to: Seat, from_: Seat) -> list[Carried]:
        """What one seat has left for another; it waits no longer."""
        return self._mail.pop((from_, to), [])

    def collect(self, to: Seat) -> list[News | Carried]:
        """Everything that waits for the seat: news, then what is held. The mailbox is empty after it."""
        mail: list[News | Carried] = [*self._news.pop(to, {}).values(), *self.held(to)]
        self._mail = {pair: held for pair, held in self._mail.items() if pair[1] != to}
        return mail

    def forget(self, seat: Seat) -> None:
        """Drop what waits for the seat and what it has sent: whoever sits there next begins anew."""
        self._news.pop(seat, None)
        self._mail = {pair: mail for pair, mail in self._mail.items() if seat not in pair}

    def _append(self, to: Seat, message: Carried) -> None:
        held = self._mail[message.from_, to]
        if message.generation != held[0].generation:
            return
        if isinstance(message, CandidateFrom):
            count = sum(isinstance(other, CandidateFrom) for other in held)
            if count >= HELD_CANDIDATES:
                return
        else:
            held[:] = [other for other in held if not _takes_place_of(message, other)]
        held.append(message)


def _is_offer(message: Carried) -> bool:
    return isinstance(message, DescriptionFrom) and message.description.type == "offer"


def _takes_place_of(new: Carried, old: Carried) -> bool:
    return type(new) is type(old) and not _is_offer(old)
