"""What an event says beside its name, in the person's language: who, why, how long. Codes only, as in the log."""

from collections.abc import Callable, Mapping
from datetime import datetime

from etapalvelu.domain.events import (
    AdvisorLeaves,
    AdvisorStays,
    Claimed,
    Closed,
    Connected,
    Continued,
    Event,
    Held,
    Identified,
    Interrupted,
    Invited,
    Joined,
    Left,
    Noted,
    Opened,
    Released,
    Resumed,
    Secured,
    StillTaken,
    Transferred,
    TransferRequested,
)
from etapalvelu.pages.language import Language, duration

Text = Callable[..., str]


def details(event: Event, language: Language, people: Mapping[str, str]) -> str:
    """Facts of the event joined with middle dots; empty when its name says all. `people` are names by account."""
    return " · ".join(_facts(event, language, people))


def _facts(event: Event, language: Language, people: Mapping[str, str]) -> list[str]:  # noqa: C901 (a dispatch over the union, nothing else)
    text = language.text
    match event:
        case Opened():
            return _opened(event, text)
        case Claimed() | Transferred():
            return [people.get(event.expert, event.expert)]
        case Released():
            return [people.get(event.expert, event.expert), text(f"release.{event.reason}")]
        case Joined() | Left() | Invited():
            return [text(f"seat.{event.seat}")]
        case Connected():
            return [text(f"path.{event.path}"), text("timeline.set_up", time=_milliseconds(event.setup_ms, language))]
        case Interrupted():
            since = text("timeline.since", at=language.exact_clock(event.since))
            return [text(f"seat.{event.seat}"), text(f"cause_class.{event.cause_class}"), since]
        case Resumed():
            return [text(f"seat.{event.seat}"), text("timeline.gap", time=_milliseconds(event.gap_ms, language))]
        case TransferRequested():
            to = text(f"theme.{event.theme}") if event.theme else people.get(event.expert or "", event.expert or "")
            return [to, text(f"release.{event.code}")]
        case Identified():
            return [text(f"identified_by.{event.how}"), text(f"acting_for.{event.acting_for}")]
        case StillTaken():
            return _still(event, language)
        case Secured():
            ends = text("timeline.fingerprints", own=event.own[:12], met=event.met[:12])
            return [f"{text(f'seat.{event.seat}')} – {text(f'seat.{event.peer}')}", ends]
        case Noted():
            return [*_noted(event, text), *_late(event.since, language)]
        case Closed():
            failed = [text(f"cause_class.{event.cause_class}")] if event.cause_class else []
            return [text(f"cause.{event.cause}"), *failed, *_late(event.since, language)]
        case Held() | Continued() | AdvisorStays() | AdvisorLeaves():
            return []


def _opened(event: Opened, text: Text) -> list[str]:
    codes = [f"theme.{event.theme}", f"reason.{event.reason}", f"language.{event.language}"]
    return [text(code) for code in (*codes, *(f"need.{need}" for need in event.needs))]


def _still(event: StillTaken, language: Language) -> list[str]:
    # An agent may know verdicts that this version has no words for.
    verdict = [language.text(f"verdict.{event.verdict}")] if language.has(f"verdict.{event.verdict}") else []
    raw = [language.text("timeline.raw_too")] if event.raw_sha256 else []
    size = language.text("timeline.kilobytes", size=language.number(round(event.size / 1000)))
    return [*verdict, f"{event.width} × {event.height}", size, f"SHA-256 {event.sha256[:12]}…", *raw]


def _noted(event: Noted, text: Text) -> list[str]:
    follow_up = [] if event.follow_up == "none" else [text(f"follow_up.{event.follow_up}")]
    return [*(text(f"outcome.{outcome}") for outcome in event.outcomes), *follow_up]


def _late(since: datetime | None, language: Language) -> list[str]:
    return [] if since is None else [language.text("timeline.reported_late", at=language.exact_clock(since))]


def _milliseconds(value: int, language: Language) -> str:
    return duration(value / 1000) if value >= 10_000 else f"{language.number(round(value / 1000, 1))} s"
