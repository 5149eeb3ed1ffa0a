"""The shape of descriptions and candidates, what they say of certificates, and what is taken out of them for a relay-only pair.

The only file that looks inside SDP; nothing is ever added, and what need not be changed is passed on as it came.
"""

import re

MAX_SDP_CHARS = 60_000
MAX_SDP_LINE_CHARS = 4_096
MAX_CANDIDATE_CHARS = 512

_NOWHERE = "0.0.0.0"  # noqa: S104 - written into SDP, nothing is bound to it
_LINE = re.compile(r"[a-z]=[^\x00-\x1f\x7f]+")
_CANDIDATE = re.compile(
    r"candidate:(?P<foundation>[A-Za-z0-9+/]{1,32}) (?P<component>\d{1,5}) (?P<transport>[A-Za-z]{1,8})"
    r" (?P<priority>\d{1,10}) (?P<address>[0-9A-Za-z.:%-]{1,255}) (?P<port>\d{1,5})"
    r" typ (?P<type>host|srflx|prflx|relay)(?P<rest>(?: [\x21-\x7e]+)*)"
)
_RELATED = re.compile(r" raddr (\S+) rport \d+")
_CONNECTION = re.compile(r"c=IN IP[46] \S+")
_ORIGIN = re.compile(r"(o=\S+ \S+ \S+ IN) IP[46] \S+")
_RTCP = re.compile(r"a=rtcp:\d+.*")
_MEDIA_PORT = re.compile(r"(m=\S+) [1-9]\d*(?:/\d+)? ")
_FINGERPRINT = re.compile(r"a=fingerprint:sha-256 ([0-9a-f:]+)", re.IGNORECASE)


def description_fault(sdp: str) -> str | None:
    """In words, why this cannot be a description; None when it can."""
    if len(sdp) > MAX_SDP_CHARS:
        return f"sdp is longer than {MAX_SDP_CHARS} characters"
    lines = _lines(sdp)
    if lines[:1] != ["v=0"]:
        return "sdp does not begin with v=0"
    if not all(len(line) <= MAX_SDP_LINE_CHARS and _LINE.fullmatch(line) for line in lines):
        return "sdp has a line that is not key=value, or too long a line"
    if not any(line.startswith("m=") for line in lines):
        return "sdp has no media section"
    if not all(_is_candidate(line.removeprefix("a=")) for line in lines if line.startswith("a=candidate:")):
        return "sdp has a malformed candidate"
    return None


def candidate_fault(candidate: str) -> str | None:
    """In words, why this cannot be a candidate; None when it can. Empty means the end of candidates."""
    if candidate in {"", "a=end-of-candidates", "end-of-candidates"} or _is_candidate(candidate.removeprefix("a=")):
        return None
    return "candidate is not a candidate attribute of RFC 8839"


def fingerprints(sdp: str) -> frozenset[str]:
    """The SHA-256 of every certificate a description announces, in small hex letters without colons."""
    found = (_FINGERPRINT.fullmatch(line) for line in _lines(sdp))
    return frozenset(match[1].replace(":", "").lower() for match in found if match is not None)


def relay_description(sdp: str) -> str:
    """The description with relay candidates only, and no address of the sender left in any other line."""
    end = "\r\n" if "\r\n" in sdp else "\n"
    lines = (_relay_line(line) for line in _lines(sdp))
    return "".join(line + end for line in lines if line is not None)


def relay_candidate(candidate: str) -> str | None:
    """The candidate with its related address hidden (RFC 8839, 5.1), or None when it is no relay candidate."""
    match = _CANDIDATE.fullmatch(candidate.removeprefix("a="))
    if match is None:
        return candidate
    if match["type"] != "relay":
        return None
    return _RELATED.sub(_hidden, candidate)


def _hidden(related: re.Match[str]) -> str:
    nowhere = "::" if ":" in related[1] else _NOWHERE
    return f" raddr {nowhere} rport 9"


def _relay_line(line: str) -> str | None:
    if line.startswith("a=candidate:"):
        return relay_candidate(line)
    if line.startswith("a=rtcp:"):
        return _RTCP.sub(f"a=rtcp:9 IN IP4 {_NOWHERE}", line)
    if line.startswith("c="):
        return _CONNECTION.sub(f"c=IN IP4 {_NOWHERE}", line)
    if line.startswith("o="):
        return _ORIGIN.sub(rf"\1 IP4 {_NOWHERE}", line)
    return _MEDIA_PORT.sub(r"\1 9 ", line)


def _is_candidate(text: str) -> bool:
    return len(text) <= MAX_CANDIDATE_CHARS and _CANDIDATE.fullmatch(text) is not None


def _lines(sdp: str) -> list[str]:
    lines = [line.removesuffix("\r") for line in sdp.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines
