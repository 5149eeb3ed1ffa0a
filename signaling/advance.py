"""Answers in advance: who has answered, from which vacant seat, the offer that waits there. No I/O.

One answer for a vacant seat: the line it makes is for whoever gave it, and for nobody else who may come.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from signaling.mailbox import Carried, News
from signaling.messages import Description, DescriptionFrom, Seat, Waiting


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The offer of the seat `offers` that `who` has answered."""

    who: str
    offers: Seat
    generation: int

    def is_of(self, mail: News | Carried) -> bool:
        """Truth that the mail is this offer, or a part of it."""
        return isinstance(mail, Carried) and (mail.from_, mail.generation) == (self.offers, self.generation)


class Answers:
    """Those of one call, by the vacant seat from which they came."""

    def __init__(self) -> None:
        self._answered: dict[Seat, Answered] = {}

    def of(self, seat: Seat) -> Answered | None:
        """The answer from a vacant seat."""
        return self._answered.get(seat)

    def others(self, seat: Seat, who: str) -> Seat | None:
        """Whose offer does not wait for `who`: somebody else has answered it."""
        answered = self._answered.get(seat)
        return None if answered is None or answered.who == who else answered.offers

    def keep(self, seat: Seat, who: str, answer: Description, waiting: Iterable[Waiting]) -> bool:
        """Remember the answer. False when it is to no offer that waits to be answered in advance, or comes second."""
        if seat in self._answered or not any(_is_answered_by(answer, mail) for mail in waiting):
            return False
        self._answered[seat] = Answered(who=who, offers=answer.to, generation=answer.generation)
        return True

    def collect(self, seat: Seat) -> Answered | None:
        """The answer from a seat that is taken now, by whomever; there is none after it."""
        return self._answered.pop(seat, None)

    def forget(self, offers: Seat, *, before: int | None = None) -> None:
        """What this seat offered is void: all of it, or what is older than generation `before`."""
        self._answered = {
            seat: one
            for seat, one in self._answered.items()
            if one.offers != offers or (before is not None and one.generation >= before)
        }


def _is_answered_by(answer: Description, mail: Waiting) -> bool:
    return (
        answer.description.type == "answer"
        and isinstance(mail, DescriptionFrom)
        and mail.in_advance
        and (mail.from_, mail.generation) == (answer.to, answer.generation)
    )
