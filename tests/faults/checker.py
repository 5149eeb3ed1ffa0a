"""Reads what clients were told and the exported log, and proves that the two agree. Knows the contract, not the product.

    python tests/faults/checker.py LOG.jsonl TRANSCRIPT.jsonl...        (exit 1 and a line for each disagreement)

The log is `etapalvelu log export --format jsonl`. A transcript is one JSON object a line, in the order things happened, from
any number of clients. Unknown fields and kinds are passed over. By `kind`:

    deed    a request was sent: {key, actor, deed, session?, outcomes?}; `key` is its Idempotency-Key, the same in every retry,
            `actor` as the log names it (`staff:ACCOUNT`, `device:ROOM`), `deed` the last word of its address (`open` for
            `POST /sessions`): open, take, claim, release, transfer, note, hold, continue, identify, advisor, close
    answer  what came back: {key, status, body}; a deed without one was never answered
    heard   a message of the call's socket: {session, seat, message}
    live    an event of the stream of fresh state: {event, data}; only `state` is looked at
    read    a session as `GET /sessions/{id}` gave it: {session, body}

Who retries writes `deed` again, so that the attempts can be counted.
"""

import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

Json = dict[str, Any]

FIELDS = {"session", "seq", "at", "type", "actor", "data", "prev", "hash"}
CAUSES = {"completed", "customer_left", "cancelled", "hours_ended", "no_expert", "technical", "lost"}
CAUSE_CLASSES = set(
    "site_network camera document_camera microphone speaker permission server expert_side identity unknown".split()  # noqa: SIM905
)
# What an expert gives as the reason of a release, and what the service writes when they left or never came.
ASKED_RELEASES = {"cannot_serve", "wrong_theme"}
RELEASES = ASKED_RELEASES | {"lease", "expert_lost"}
GENESIS = "0" * 64

# What each deed writes, by the last word of its address.
WRITES: Mapping[str, tuple[str, ...]] = {
    "open": ("opened",),
    "take": ("claimed", "transferred"),
    "claim": ("claimed", "transferred"),
    "release": ("released",),
    "transfer": ("transfer_requested",),
    "note": ("noted",),
    "hold": ("held",),
    "continue": ("continued",),
    "identify": ("identified",),
    "advisor": ("advisor_stays", "advisor_leaves"),
    "close": ("closed",),
}

# Which event each time of a session is that of.
MOMENTS: Mapping[str, tuple[str, ...]] = {
    "opened_at": ("opened",),
    "claimed_at": ("claimed", "transferred"),
    "connected_at": ("connected",),
    "closed_at": ("closed",),
}


@dataclass(frozen=True, order=True)
class Finding:
    """One disagreement. `kind` groups them: lost, doubled, orphan, negative, no_cause, chain, order, untold, state."""

    kind: str
    session: str
    words: str

    def __str__(self) -> str:
        return f"{self.kind}: session {self.session or '-'}: {self.words}"


@dataclass
class Deed:
    """All attempts under one key."""

    actor: str
    name: str
    session: str | None
    with_outcomes: bool
    attempts: int = 0
    bodies: list[Json | None] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Answered with a session: it must be in the log."""
        return any(body is not None for body in self.bodies)

    @property
    def may_be_done(self) -> bool:
        """Done, or an attempt was never answered and nothing else is known: it may be in the log."""
        return self.is_done or self.attempts > len(self.bodies) + len(self.refusals)

    @property
    def told(self) -> str | None:
        """The session it was done to, as the answer says; else as it was asked."""
        return next((str(body["id"]) for body in self.bodies if body is not None), self.session)


@dataclass
class Story:
    """One session's entries in order, and its state after each."""

    entries: list[Json]
    states: list[str]

    def of(self, *types: str) -> list[Json]:
        return [entry for entry in self.entries if entry["type"] in types]

    def seats(self, type_: str) -> set[str]:
        return {entry["data"]["seat"] for entry in self.of(type_)}


def check(log: Iterable[Json], transcript: Iterable[Json], *, all_ended: bool = False) -> list[Finding]:
    """Every disagreement. `all_ended`: by now every session ought to be closed."""
    stories, findings = _stories(log)
    for session, story in stories.items():
        findings.extend(_ends(session, story, all_ended))
        findings.extend(_times(session, story))
        findings.extend(_causes(session, story))
        findings.extend(_seats(session, story))
    told = list(transcript)
    deeds = _deeds(told)
    findings.extend(_answered(stories, deeds.values()))
    findings.extend(_counted(stories, deeds.values()))
    for line in told:
        findings.extend(_told(stories, line))
    return sorted(set(findings))


def lines(path: Path) -> Iterator[Json]:
    """The objects of a file, one a line. A last line that a kill cut short is passed over."""
    with path.open(encoding="utf-8") as file:
        for text in file:
            if text.endswith("\n"):
                yield json.loads(text)


def _stories(log: Iterable[Json]) -> tuple[dict[str, Story], list[Finding]]:
    """The log by session, with what is wrong with its rows and its chain."""
    stories: dict[str, Story] = {}
    findings: list[Finding] = []
    for entry in log:
        if set(entry) != FIELDS:
            findings.append(Finding("chain", str(entry.get("session", "")), f"an entry has the fields {sorted(entry)}"))
            continue
        story = stories.setdefault(entry["session"], Story([], []))
        before = story.entries[-1] if story.entries else None
        findings.extend(_link(entry, before))
        story.states.append(_state_after(entry, story.states[-1] if story.states else ""))
        story.entries.append(entry)
    return stories, findings


def _link(entry: Json, before: Json | None) -> Iterator[Finding]:
    session, seq = entry["session"], entry["seq"]
    if seq != (1 if before is None else before["seq"] + 1):
        yield Finding("order", session, f"entry {seq} follows {before and before['seq']}")
    if entry["prev"] != (GENESIS if before is None else before["hash"]):
        yield Finding("chain", session, f"entry {seq} does not link to the one before")
    hashed = {name: value for name, value in entry.items() if name != "hash"}
    text = json.dumps(hashed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    if hashlib.sha256(text.encode()).hexdigest() != entry["hash"]:
        yield Finding("chain", session, f"entry {seq} is not what its hash says")


def _state_after(entry: Json, before: str) -> str:
    moves = {"opened": "waiting", "claimed": "claimed", "released": "waiting", "connected": "connected", "closed": "closed"}
    return moves.get(entry["type"], before)


def _ends(session: str, story: Story, all_ended: bool) -> Iterator[Finding]:
    first, openings, closings = story.entries[0]["type"], story.of("opened"), story.of("closed")
    if first != "opened":
        yield Finding("orphan", session, f"it begins with {first}")
    if len(openings) > 1:
        yield Finding("doubled", session, f"it was opened {len(openings)} times")
    if len(closings) > 1:
        yield Finding("doubled", session, f"it was closed {len(closings)} times")
    if closings and story.entries[-1]["type"] != "closed":
        yield Finding("order", session, f"{story.entries[-1]['type']} after it was closed")
    if all_ended and not closings:
        yield Finding("orphan", session, f"it was never closed and is {story.states[-1]}")


def _times(session: str, story: Story) -> Iterator[Finding]:
    moments = [_moment(entry["at"]) for entry in story.entries]
    for entry, earlier, later in zip(story.entries[1:], moments[:-1], moments[1:], strict=True):
        if later < earlier:
            yield Finding("negative", session, f"entry {entry['seq']} is earlier than the one before")
    for entry, at in zip(story.entries, moments, strict=True):
        data = entry["data"]
        if data.get("since") is not None and not moments[0] <= _moment(data["since"]) <= at:
            yield Finding("negative", session, f"entry {entry['seq']} began at {data['since']}, outside the session")
        if any((data.get(name) or 0) < 0 for name in ("gap_ms", "setup_ms")):
            yield Finding("negative", session, f"entry {entry['seq']} lasted less than nothing")


def _causes(session: str, story: Story) -> Iterator[Finding]:
    for entry in story.entries:
        data, seq = entry["data"], entry["seq"]
        match entry["type"]:
            case "closed":
                if data.get("cause") not in CAUSES:
                    yield Finding("no_cause", session, f"closed with the cause {data.get('cause')}")
                if (data.get("cause") == "technical") != (data.get("cause_class") in CAUSE_CLASSES):
                    yield Finding("no_cause", session, f"closed as {data.get('cause')} of class {data.get('cause_class')}")
            case "interrupted" if data.get("cause_class") not in CAUSE_CLASSES:
                yield Finding("no_cause", session, f"entry {seq} is interrupted by {data.get('cause_class')}")
            case "released" if data.get("reason") not in RELEASES:
                yield Finding("no_cause", session, f"entry {seq} is released for {data.get('reason')}")


def _seats(session: str, story: Story) -> Iterator[Finding]:
    """Seats are taken and given up in turn, gaps begin and end in turn, a claim is held by one."""
    seated, away, claimed = set[str](), set[str](), False
    for entry in story.entries:
        type_, seat, seq = entry["type"], entry["data"].get("seat", ""), entry["seq"]
        wrong = {
            "joined": seat in seated,
            "left": seat not in seated,
            "interrupted": seat in away or seat not in seated,
            "resumed": seat not in away,
            "claimed": claimed,
            "released": not claimed,
        }
        if wrong.get(type_, False):
            yield Finding("doubled", session, f"entry {seq}: {type_} {seat}".rstrip() + ", which does not follow")
        claimed = type_ == "claimed" or (claimed and type_ != "released")
        seated = (seated | {seat}) if type_ == "joined" else seated - ({seat} if type_ == "left" else set())
        if type_ == "released":
            seated -= {"expert", "expert2"}
        away = (away | {seat}) if type_ == "interrupted" else away - ({seat} if type_ == "resumed" else set())
        away &= seated


def _deeds(transcript: Sequence[Json]) -> dict[str, Deed]:
    deeds: dict[str, Deed] = {}
    for line in transcript:
        if line.get("kind") == "deed":
            new = Deed(line["actor"], line["deed"], line.get("session"), bool(line.get("outcomes")))
            deeds.setdefault(line["key"], new).attempts += 1
        elif line.get("kind") == "answer" and line["key"] in deeds:
            deed, status = deeds[line["key"]], line["status"]
            if status in (200, 201):
                deed.bodies.append(line["body"])
            elif status == 204:
                deed.bodies.append(None)
            else:
                deed.refusals.append(status)
    return deeds


def _answered(stories: Mapping[str, Story], deeds: Iterable[Deed]) -> Iterator[Finding]:
    """What an answer tells of the session is what the log tells; the same key is answered alike."""
    for deed in deeds:
        bodies = [body for body in deed.bodies if body is not None]
        for body in bodies:
            yield from _is_told_by(stories, body)
        alike = ("id", "state", "claimed_at", "closed_at", "close_cause")
        if len({tuple(str(body[name]) for name in alike) for body in bodies}) > 1:
            yield Finding("doubled", bodies[0]["id"], f"{deed.name} was answered in two ways under one key")


def _is_told_by(stories: Mapping[str, Story], body: Json) -> Iterator[Finding]:
    story = stories.get(body["id"])
    if story is None:
        yield Finding("untold", body["id"], "it was told and is not in the log")
        return
    if body["state"] not in story.states:
        yield Finding("untold", body["id"], f"it was told as {body['state']}, which it never was")
    for name, types in MOMENTS.items():
        if body.get(name) is not None and body[name] not in {entry["at"] for entry in story.of(*types)}:
            yield Finding("untold", body["id"], f"{name} was told as {body[name]}, which is not in the log")
    causes = {entry["data"].get("cause") for entry in story.of("closed")}
    if body.get("close_cause") is not None and body["close_cause"] not in causes:
        yield Finding("untold", body["id"], f"its close was told as {body['close_cause']}")
    for event in body.get("events", ()):
        if event["hash"] not in {entry["hash"] for entry in story.entries}:
            yield Finding("untold", body["id"], f"event {event['seq']} was told and is not in the log")


def _counted(stories: Mapping[str, Story], deeds: Iterable[Deed]) -> Iterator[Finding]:
    """Every acknowledged deed stands in the log once, and no deed stands there that nobody can have done."""
    done, possible = Counter[tuple[str, str, str]](), Counter[tuple[str, str]]()
    for deed in deeds:
        done[deed.actor, deed.name, deed.told or ""] += deed.is_done
        with_note = deed.name == "close" and deed.with_outcomes
        for type_ in (*WRITES[deed.name], *(["noted"] if with_note else [])):
            possible[deed.actor, type_] += deed.may_be_done
    there: Counter[tuple[str, str, str]] = Counter(
        (entry["actor"], entry["type"], session)
        for session, story in stories.items()
        for entry in story.entries
        if entry["type"] != "released" or entry["data"].get("reason") in ASKED_RELEASES
    )
    for (actor, types, session), count in _by_types(done).items():
        found = sum(there[actor, type_, session] for type_ in types)
        if found < count:
            yield Finding("lost", session, f"{actor} was told {count} x {types[0]}, the log has {found}")
    written: Counter[tuple[str, str]] = Counter()
    for (actor, type_, _session), count in there.items():
        written[actor, type_] += count
    for doer, count in possible.items():
        if written[doer] > count:
            yield Finding("doubled", "", f"{doer[0]} can have done {count} x {doer[1]}, the log has {written[doer]}")


def _by_types(done: Mapping[tuple[str, str, str], int]) -> Counter[tuple[str, tuple[str, ...], str]]:
    """Taking and claiming write the same events, so they are counted together."""
    counted: Counter[tuple[str, tuple[str, ...], str]] = Counter()
    for (actor, name, session), count in done.items():
        counted[actor, WRITES[name], session] += count
    return counted


def _told(stories: Mapping[str, Story], line: Json) -> Iterator[Finding]:
    match line.get("kind"):
        case "heard":
            yield from _heard(stories, line)
        case "live" if line["event"] == "state" and line["data"].get("session"):
            data = line["data"]
            story = stories.get(data["session"])
            states = [] if story is None else story.states
            seq = data.get("seq", 0)
            if seq > len(states) or (states[seq - 1] if seq else data["state"]) != data["state"]:
                yield Finding("untold", data["session"], f"after entry {seq} it was shown as {data['state']}")
        case "read":
            yield from _is_told_by(stories, line["body"])
        case _:
            return


def _heard(stories: Mapping[str, Story], line: Json) -> Iterator[Finding]:
    session, message = line["session"], line["message"]
    story = stories.get(session)
    if story is None:
        yield Finding("untold", session, f"{message['type']} was heard of a session that is not in the log")
        return
    joined = story.seats("joined")
    match message["type"]:
        case "welcome":
            for seat in {message["seat"], *(other["seat"] for other in message["present"])} - joined:
                yield Finding("untold", session, f"{seat} was told to sit there and never joined")
        case "seat_joined" if message["seat"] not in joined:
            yield Finding("untold", session, f"{message['seat']} was told to join and never did")
        case "seat_left" if message["seat"] not in story.seats("left") and not story.of("closed"):
            yield Finding("untold", session, f"{message['seat']} was told to leave and never did")
        case "call_closed" if message["reason"] not in {entry["data"].get("cause") for entry in story.of("closed")}:
            yield Finding("untold", session, f"its end was told as {message['reason']}")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def main(arguments: Sequence[str]) -> int:
    if len(arguments) < 1:
        print(__doc__, file=sys.stderr)  # noqa: T201 - a command
        return 2
    log, *transcripts = (Path(name) for name in arguments)
    told = [line for path in transcripts for line in lines(path)]
    findings = check(lines(log), told)
    for finding in findings:
        print(finding)  # noqa: T201 - a command
    print(f"{len(findings)} disagreements", file=sys.stderr)  # noqa: T201 - a command
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
