"""Whose fault it was, with the code a program reads, the words a person reads, and the close code of the socket.

Every code that can leave in an `error` message stands in CLOSE_CODES; docs/protocol.md lists them all.
"""

NORMAL = 1000
UNSUPPORTED_DATA = 1003
TOO_BIG = 1009
SERVER_FAULT = 1011
SERVER_RESTARTING = 1012
TRY_AGAIN_LATER = 1013
BAD_MESSAGE = 4400
BAD_TICKET = 4401
REFUSED = 4403
TOO_LATE = 4408
SEAT_CONFLICT = 4409
TOO_MANY = 4429

# What the peer does next is in docs/protocol.md, section "Errors and close codes".
CLOSE_CODES: dict[str, int] = {
    "bad_message": BAD_MESSAGE,
    "unknown_type": BAD_MESSAGE,
    "too_deep": BAD_MESSAGE,
    "hello_expected": BAD_MESSAGE,
    "hello_twice": BAD_MESSAGE,
    "not_text": UNSUPPORTED_DATA,
    "too_big": TOO_BIG,
    "malformed": BAD_TICKET,
    "forged": BAD_TICKET,
    "expired": BAD_TICKET,
    "used": BAD_TICKET,
    "login_ended": BAD_TICKET,
    "not_allowed": REFUSED,
    "unseated": REFUSED,
    "call_over": REFUSED,
    "hello_timeout": TOO_LATE,
    "seat_lost": TOO_LATE,
    "seat_taken": SEAT_CONFLICT,
    "replaced": SEAT_CONFLICT,
    "too_many": TOO_MANY,
    "server_fault": SERVER_FAULT,
    "server_restarting": SERVER_RESTARTING,
    "try_again": TRY_AGAIN_LATER,
}

# In how many seconds it makes sense to come back, where it makes a difference. A server that was told to end has gone by then
# and may be back: whoever waits for it begins to knock.
RETRY_AFTER: dict[str, int] = {"server_restarting": 1, "too_many": 2}


def close_code(code: str) -> int:
    """The websocket close code for an error's code; REFUSED for the codes the service makes up itself."""
    return CLOSE_CODES.get(code, REFUSED)


class SignalingError(Exception):
    """Anything a peer is told with an `error` message; `code` is for programs, `text` for people who read logs."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class PeerError(SignalingError):
    """Raised when what a peer sent breaks the protocol."""


class TicketError(SignalingError):
    """Raised when a seat ticket or resume token is malformed, forged or expired."""


class RefusedError(SignalingError):
    """Raised by the service (Attendance.joined) when this person may not sit down after all."""
