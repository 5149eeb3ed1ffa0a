"""The desk's deeds as calls. Each does one thing: ask the desk, and answer with the session as it stands then."""

from etapalvelu.api import answers
from etapalvelu.api.bodies import AdvisorBody, IdentifyBody, NoteBody, Nothing, ReleaseBody, TakeBody, TicketBody, TransferBody
from etapalvelu.api.calls import Asked, Call, deed, post
from etapalvelu.desk import CloseRequest, Desk, OpenRequest
from etapalvelu.ports import Clock


class Deeds:
    """Handlers over the desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def open(self, asked: Asked, body: OpenRequest) -> answers.Session:
        return answers.session(await self._desk.open(asked.person, body, key=asked.key))

    async def take(self, asked: Asked, body: TakeBody) -> answers.Claim | None:
        session = await self._desk.take(asked.person, body.themes, key=asked.key)
        if session is None:
            return None
        return answers.claim(session, self._desk.ticket_of_claim(asked.staff, asked.visitor.seat_login, session))

    async def claim(self, asked: Asked, body: Nothing) -> answers.Session:
        return answers.session(await self._desk.claim(asked.person, asked.id, key=asked.key))

    async def release(self, asked: Asked, body: ReleaseBody) -> answers.Session:
        return answers.session(await self._desk.release(asked.person, asked.id, body.reason, key=asked.key))

    async def transfer(self, asked: Asked, body: TransferBody) -> answers.Session:
        return answers.session(
            await self._desk.transfer(
                asked.person, asked.id, theme=body.theme, expert=body.expert, code=body.code, key=asked.key
            )
        )

    async def note(self, asked: Asked, body: NoteBody) -> answers.Session:
        return answers.session(
            await self._desk.note(asked.person, asked.id, body.outcomes, body.follow_up, key=asked.key, since=asked.since)
        )

    async def identify(self, asked: Asked, body: IdentifyBody) -> answers.Session:
        return answers.session(await self._desk.identify(asked.person, asked.id, body.how, body.acting_for, key=asked.key))

    async def hold(self, asked: Asked, body: Nothing) -> answers.Session:
        return answers.session(await self._desk.hold(asked.person, asked.id, True, key=asked.key))

    async def continue_(self, asked: Asked, body: Nothing) -> answers.Session:
        return answers.session(await self._desk.hold(asked.person, asked.id, False, key=asked.key))

    async def advisor(self, asked: Asked, body: AdvisorBody) -> answers.Session:
        return answers.session(await self._desk.advisor_present(asked.person, asked.id, body.stays, key=asked.key))

    async def close(self, asked: Asked, body: CloseRequest) -> answers.Session:
        return answers.session(await self._desk.close(asked.person, asked.id, body, key=asked.key, since=asked.since))

    async def ticket(self, asked: Asked, body: TicketBody) -> answers.Ticket:
        offer = await self._desk.ticket(asked.person, asked.visitor.seat_login, asked.id, body.seat)
        return answers.ticket(offer)


def deed_calls(desk: Desk, clock: Clock) -> tuple[Call, ...]:
    """The rows of the API that change sessions, and the tickets to their seats."""
    do, one = Deeds(desk), "/sessions/{id}"
    session, claim = answers.Session, answers.Claim
    return (
        deed("/sessions", "Open a session in a free room", do.open, OpenRequest, session, clock, status=201),
        deed("/sessions/take", "Take the oldest session you may take", do.take, TakeBody, claim, clock, may_be_empty=True),
        deed(f"{one}/claim", "Take this session, or answer its transfer request", do.claim, Nothing, session, clock),
        deed(f"{one}/release", "Give the session back to its queue", do.release, ReleaseBody, session, clock),
        deed(f"{one}/transfer", "Ask another line or expert to go on", do.transfer, TransferBody, session, clock),
        deed(f"{one}/note", "Write down what came of it, in codes", do.note, NoteBody, session, clock, may_be_late=True),
        deed(f"{one}/identify", "Write down how the customer was identified", do.identify, IdentifyBody, session, clock),
        deed(f"{one}/hold", "Put the customer on hold", do.hold, Nothing, session, clock),
        deed(f"{one}/continue", "End the hold", do.continue_, Nothing, session, clock),
        deed(f"{one}/advisor", "The advisor stays, or leaves", do.advisor, AdvisorBody, session, clock),
        deed(f"{one}/close", "End the session for everybody", do.close, CloseRequest, session, clock, may_be_late=True),
        post(f"{one}/ticket", "A ticket to a seat you may take", do.ticket, TicketBody, answers.Ticket),
    )
