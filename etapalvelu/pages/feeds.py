"""What each page's stream says: first everything as it is now, then again whenever one of its topics was announced.

A feed is rendered with the visitor's own rights; `live` sends only what has changed since.
"""

from collections.abc import Awaitable, Callable, Hashable, Mapping

import msgspec

from etapalvelu.access import Visitor
from etapalvelu.domain.moments import timestamp
from etapalvelu.domain.people import Device, Role
from etapalvelu.domain.session import Session
from etapalvelu.pages import advisor, board, expert, room, supervisor
from etapalvelu.pages.language import Language
from etapalvelu.pages.site import Site
from etapalvelu.ports import HOURS, QUEUE, place_topic, point_topic, room_topic, session_topic


class Message(msgspec.Struct, frozen=True):
    """One server-sent event. `slot` tells which earlier one it replaces."""

    event: str
    data: Mapping[str, object]
    slot: str


class Watcher(msgspec.Struct, frozen=True, kw_only=True):
    """Whose stream it is, in which language, and the session it is about (or empty)."""

    visitor: Visitor
    language: Language
    session_id: str


def _watcher_alone(watcher: Watcher) -> Hashable:
    return watcher


def _point_alone(watcher: Watcher) -> Hashable:
    """Everybody with these rights at the point sees the same; nothing in it names or concerns the reader."""
    return (watcher.visitor.role, watcher.visitor.person.point, watcher.language.code)


class Feed(msgspec.Struct, frozen=True):
    """`shared_by`: streams that agree in this are told the same messages, made once for all of them."""

    topics: Callable[[Site, Watcher], Awaitable[set[str]]]
    messages: Callable[[Site, Watcher], Awaitable[list[Message]]]
    shared_by: Callable[[Watcher], Hashable]


def state(session: Session | None) -> Message:
    """The page's session. With `seq` it is said anew after every event: a page that took a session shows what it knows
    itself, so that "connected", told before and true again, is news to it."""
    if session is None:
        return Message("state", {"state": "", "session": "", "seq": 0}, "state")
    return Message("state", {"state": session.state, "session": session.id, "seq": session.seq}, "state")


def fragment(target: str, html: str) -> Message:
    return Message("fragment", {"target": target, "html": html}, f"fragment {target}")


def belonging(session: Session | None) -> Message:
    """What devices go by: the session their room belongs to just now."""
    return Message("session", {"id": session.id}, "belonging") if session else Message("none", {}, "belonging")


async def _advisor_topics(site: Site, watcher: Watcher) -> set[str]:
    point = watcher.visitor.person.point or ""
    return {QUEUE, point_topic(point), *(room_topic(place.id) for place in await site.rooms_of(watcher.visitor))}


async def _advisor(site: Site, watcher: Watcher) -> list[Message]:
    values = advisor.point_values(await advisor.advisor_view(site, watcher.visitor), watcher.language)
    parts = {
        "service-hours": "advisor/hours.html",
        "open-sessions": "advisor/open_sessions.html",
        "rooms": "advisor/rooms.html",
    }
    return [state(None), *_fragments(site, watcher, parts, values)]


async def _session_topics(site: Site, watcher: Watcher) -> set[str]:
    """Of the queue nothing but this session's own place: there are as many of these pages as sessions."""
    session = await site.sessions.session(watcher.session_id)
    return {HOURS, session_topic(watcher.session_id), *({place_topic(session.room)} if session else ())}


async def _advisor_session(site: Site, watcher: Watcher) -> list[Message]:
    view = await advisor.watched_session_view(site, watcher.visitor, watcher.session_id)
    values = advisor.session_values(view, watcher.language) | {"csrf_token": watcher.visitor.csrf_token}
    parts = {"session": "advisor/session.html", "session-deeds": "advisor/deeds.html"}
    return [state(view.session), *_fragments(site, watcher, parts, values)]


async def _supervisor_topics(site: Site, watcher: Watcher) -> set[str]:
    rooms = await site.rooms_of(watcher.visitor)
    return {QUEUE, *(room_topic(place.id) for place in rooms), *(point_topic(place.point) for place in rooms)}


async def _supervisor(site: Site, watcher: Watcher) -> list[Message]:
    values = {"view": await board.board_view(site, watcher.visitor)}
    parts = {
        "figures": "supervisor/figures.html",
        "alarms": "supervisor/alarms.html",
        "open-sessions": "supervisor/open_sessions.html",
        "rooms": "supervisor/rooms.html",
    }
    return [state(None), *_fragments(site, watcher, parts, values)]


async def _supervisor_session(site: Site, watcher: Watcher) -> list[Message]:
    view = await supervisor.watched_session_view(site, watcher.visitor, watcher.session_id, watcher.language)
    parts = {"timeline": "supervisor/timeline.html"}
    return [state(view.session), *_fragments(site, watcher, parts, {"view": view})]


async def _queue_topics(site: Site, watcher: Watcher) -> set[str]:
    return {QUEUE}


async def _room_topics(site: Site, watcher: Watcher) -> set[str]:
    return {room_topic(_device_of(watcher).room), place_topic(_device_of(watcher).room)}


async def _agent_topics(site: Site, watcher: Watcher) -> set[str]:
    """Of its own room alone: what goes on in all others is nothing to it, and there are many of both."""
    return {room_topic(_device_of(watcher).room)}


async def _to_device(site: Site, device: Device, session: Session | None) -> list[Message]:
    """What a room's screen and its agent are told alike; `session` is the one that is open in the room."""
    asked_at = await site.dawn.asked(device)
    asked = [] if asked_at is None else [Message("check", {"run": timestamp(asked_at)}, "check")]
    return [belonging(session), *asked]


async def _agent(site: Site, watcher: Watcher) -> list[Message]:
    device = _device_of(watcher)
    session = await site.reports.open_in_room(device.room)
    # Whoever sets the camera up sees no customer's papers.
    setup = "" if session else site.setups.wanted(device.room)
    settings = msgspec.to_builtins(await site.places.camera(device.room))
    return [*await _to_device(site, device, session), Message("camera", {"settings": settings, "setup": setup}, "camera")]


async def _expert(site: Site, watcher: Watcher) -> list[Message]:
    parts = await expert.fragments(site, watcher.visitor, watcher.language)
    return [
        state(await expert.current(site, watcher.visitor)),
        *(fragment(target, html) for target, html in parts.items()),
    ]


async def _room(site: Site, watcher: Watcher) -> list[Message]:
    session = await room.current(site, watcher.visitor)
    parts = await room.fragments(site, watcher.visitor, watcher.language, session)
    return [
        *await _to_device(site, _device_of(watcher), session),
        state(session),
        *(fragment(target, html) for target, html in parts.items()),
    ]


# By the name that a page's stream is asked with.
FEEDS: Mapping[str, Feed] = {
    "advisor": Feed(_advisor_topics, _advisor, _point_alone),
    "advisor-session": Feed(_session_topics, _advisor_session, _watcher_alone),
    "supervisor": Feed(_supervisor_topics, _supervisor, _point_alone),
    "supervisor-session": Feed(_session_topics, _supervisor_session, _watcher_alone),
    "expert": Feed(_queue_topics, _expert, _watcher_alone),
    "room": Feed(_room_topics, _room, _watcher_alone),
    "agent": Feed(_agent_topics, _agent, _watcher_alone),
}

# Whose stream does not say which page it is for: the one that their role begins with.
MAIN_FEEDS: Mapping[Role, str] = {
    Role.ADVISOR: "advisor",
    Role.EXPERT: "expert",
    Role.SUPERVISOR: "supervisor",
    Role.ADMIN: "supervisor",
    Role.ROOM: "room",
    Role.AGENT: "agent",
}


def _fragments(site: Site, watcher: Watcher, parts: Mapping[str, str], values: Mapping[str, object]) -> list[Message]:
    return [fragment(target, site.fragment(template, watcher.language, values)) for target, template in parts.items()]


def _device_of(watcher: Watcher) -> Device:
    if not isinstance(watcher.visitor.person, Device):
        raise TypeError(watcher.visitor.person)
    return watcher.visitor.person
