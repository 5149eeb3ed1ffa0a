"""One thing the room PC looked at, as it is reported. The codes are the server's (`CheckCode`, `CheckNote`)."""

from typing import Final, Literal

from msgspec import Struct

Result = Literal["ok", "warn", "failed", "skipped"]

# What the agent looks at, in the order it is told.
CODES: Final = (
    "document_camera_opens",
    "document_camera_fresh",
    "document_camera_light",
    "document_camera_sharp",
    "document_camera_still",
    "server_http",
    "server_socket",
    "direct_path",
    "relay_udp",
    "relay_tcp",
    "relay_tls",
    "bandwidth_up",
    "bandwidth_down",
    "loss",
    "round_trip",
    "clock",
    "disk",
    "memory",
    "load",
)


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`figure` is in the unit that the code stands for, `note` says why or what exactly."""

    code: str
    result: Result
    figure: float | None = None
    note: str | None = None


def at_least(code: str, figure: float, *, good: float, enough: float) -> Finding:
    """More is better: ok from `good`, a warning from `enough`, failed below."""
    return Finding(code=code, result="ok" if figure >= good else "warn" if figure >= enough else "failed", figure=figure)


def at_most(code: str, figure: float, *, good: float, enough: float) -> Finding:
    """Less is better: ok up to `good`, a warning up to `enough`, failed above."""
    return Finding(code=code, result="ok" if figure <= good else "warn" if figure <= enough else "failed", figure=figure)
