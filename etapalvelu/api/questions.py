"""The questions of reports as calls. The cursor of a page is the place of its last row, and nothing a caller should read."""

import base64
import binascii
from datetime import UTC, datetime, timedelta

from etapalvelu.api import answers
from etapalvelu.api.bodies import AnswerBody, Nothing, SessionQuery
from etapalvelu.api.calls import Asked, Call, post, question
from etapalvelu.domain.errors import InvalidFieldError
from etapalvelu.domain.session import Session
from etapalvelu.domain.themes import THEMES
from etapalvelu.ports import SessionFilter
from etapalvelu.reports import Reports
from etapalvelu.upcoming import Preparing
from signaling.messages import Description

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Questions:
    """Handlers over the reports."""

    def __init__(self, reports: Reports, preparing: Preparing) -> None:
        self._reports = reports
        self._preparing = preparing

    async def sessions(self, asked: Asked, query: SessionQuery) -> answers.SessionList:
        themes = [theme.key for theme in THEMES]
        if query.theme is not None and query.theme not in themes:
            raise InvalidFieldError("theme", allowed=themes)
        which = SessionFilter(
            since=query.since,
            until=query.until,
            point=query.point,
            theme=query.theme,
            state=query.state,
            after=None if query.cursor is None else read_cursor(query.cursor),
            # One more than is shown tells whether another page follows.
            limit=query.limit + 1,
        )
        found = await self._reports.select(asked.person, which)
        shown = found[: query.limit]
        following = cursor(shown[-1]) if len(found) > query.limit else None
        return answers.SessionList(sessions=[answers.session(session) for session in shown], next=following)

    async def session(self, asked: Asked, query: Nothing) -> answers.SessionWithEvents:
        timeline = await self._reports.timeline(asked.person, asked.id)
        return answers.with_events(timeline.session, timeline.entries)

    async def queue(self, asked: Asked, query: Nothing) -> answers.Queue:
        return answers.Queue(sessions=[answers.session(session) for session in await self._reports.queue(asked.staff)])

    async def next(self, asked: Asked, query: Nothing) -> answers.Next:
        return answers.upcoming(await self._preparing.upcoming(asked.staff))

    async def answer(self, asked: Asked, body: AnswerBody) -> answers.Awaited:
        answer = Description(to=body.to, generation=body.generation, description=body.description)
        return answers.Awaited(awaited=await self._preparing.answer(asked.staff, body.call, answer))

    async def rooms(self, asked: Asked, query: Nothing) -> answers.RoomList:
        return answers.RoomList(rooms=[answers.room(state) for state in await self._reports.rooms(asked.person)])


def question_calls(reports: Reports, preparing: Preparing) -> tuple[Call, ...]:
    """The rows of the API that change no session."""
    ask = Questions(reports, preparing)
    return (
        question("/sessions", "Sessions in your scope, newest first", ask.sessions, SessionQuery, answers.SessionList),
        question("/sessions/{id}", "One session with its log", ask.session, Nothing, answers.SessionWithEvents),
        question("/queue", "What you may take now, oldest first", ask.queue, Nothing, answers.Queue),
        question("/queue/next", "What to prepare for the session you would take now", ask.next, Nothing, answers.Next),
        post(
            "/queue/next/answer", "Answer an offer that waits there, before the claim", ask.answer, AnswerBody, answers.Awaited
        ),
        question("/rooms", "Rooms, their readiness, and what goes on in them", ask.rooms, Nothing, answers.RoomList),
    )


def cursor(last: Session) -> str:
    place = f"{(last.opened_at - _EPOCH) // timedelta(milliseconds=1)} {last.id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, str]:
    """Where the page before ended. Raises `InvalidFieldError` for what is no cursor of ours."""
    try:
        place = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        ms, _, session_id = place.partition(" ")
        at = _EPOCH + timedelta(milliseconds=int(ms))
    except (binascii.Error, ValueError, OverflowError):
        raise InvalidFieldError("cursor", "malformed") from None
    if not session_id:
        raise InvalidFieldError("cursor", "malformed")
    return at, session_id
