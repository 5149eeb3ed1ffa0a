"""Which fault leads to which cause class, by what the ends say and whose sockets fell silent."""

import pytest

from etapalvelu.domain.causes import cause_of, side
from etapalvelu.domain.codes import CauseClass, Path, Seat

ALL = (Seat.ROOM, Seat.CAMERA, Seat.EXPERT)


@pytest.mark.parametrize(
    ("teller", "lost", "unheard", "cause"),
    [
        (Seat.EXPERT, Seat.ROOM, {Seat.ROOM, Seat.CAMERA}, CauseClass.SITE_NETWORK),
        (Seat.EXPERT, Seat.ROOM, {Seat.ROOM}, CauseClass.SITE_NETWORK),
        (Seat.EXPERT, Seat.CAMERA, {Seat.ROOM, Seat.CAMERA}, CauseClass.SITE_NETWORK),
        (Seat.EXPERT, Seat.CAMERA, {Seat.CAMERA}, CauseClass.DOCUMENT_CAMERA),
        (Seat.ROOM, Seat.EXPERT, {Seat.EXPERT}, CauseClass.EXPERT_SIDE),
        (Seat.ROOM, Seat.EXPERT2, {Seat.EXPERT2}, CauseClass.EXPERT_SIDE),
        (Seat.ROOM, Seat.EXPERT, {Seat.ROOM}, CauseClass.SITE_NETWORK),
        (Seat.EXPERT, Seat.ROOM, {Seat.EXPERT}, CauseClass.EXPERT_SIDE),
        (Seat.EXPERT, Seat.ROOM, {Seat.EXPERT, Seat.ROOM}, CauseClass.SITE_NETWORK),
        (Seat.EXPERT, Seat.ROOM, set[Seat](), CauseClass.UNKNOWN),
    ],
    ids=[
        "the room's line is cut",
        "its screen died",
        "its line, as the paper tells",
        "the agent died",
        "the expert's line is cut",
        "the successor's",
        "the room itself was away",
        "the expert was away",
        "both lines are cut",
        "both are heard",
    ],
)
@pytest.mark.parametrize("said", ["unknown", "weather"])
def test_whose_socket_fell_silent_is_the_cause(
    said: str, teller: Seat, lost: Seat, unheard: set[Seat], cause: CauseClass
) -> None:
    assert cause_of(said, teller=teller, lost=lost, unheard=unheard, seats=ALL) is cause


@pytest.mark.parametrize("said", ["camera", "microphone", "speaker", "permission", "identity", "server"])
def test_what_a_page_knows_of_itself_stands(said: str) -> None:
    cause = cause_of(said, teller=Seat.EXPERT, lost=Seat.ROOM, unheard={Seat.ROOM}, seats=ALL, path=Path.RELAY)

    assert cause == said


@pytest.mark.parametrize(
    ("said", "unheard", "path", "cause"),
    [
        ("expert_side", {Seat.ROOM}, None, CauseClass.SITE_NETWORK),
        ("expert_side", set[Seat](), Path.RELAY, CauseClass.EXPERT_SIDE),
        ("site_network", set[Seat](), Path.RELAY, CauseClass.SERVER),
        ("site_network", set[Seat](), Path.HOST, CauseClass.UNKNOWN),
        ("unknown", set[Seat](), Path.RELAY, CauseClass.SERVER),
        ("unknown", set[Seat](), Path.HOST, CauseClass.UNKNOWN),
    ],
    ids=[
        "the server knows better",
        "its own line was away",
        "the relay is nearer",
        "a mere guess",
        "only the relay stands between",
        "nobody knows",
    ],
)
def test_a_page_is_believed_of_its_own_line_only(said: str, unheard: set[Seat], path: Path | None, cause: CauseClass) -> None:
    assert cause_of(said, teller=Seat.EXPERT, lost=Seat.ROOM, unheard=unheard, seats=ALL, path=path) is cause


@pytest.mark.parametrize(
    ("teller", "lost", "unheard", "relay_protocol", "cause"),
    [
        (Seat.EXPERT, Seat.ROOM, set[Seat](), "udp", CauseClass.SITE_NETWORK),
        (Seat.EXPERT, Seat.CAMERA, set[Seat](), "udp", CauseClass.SITE_NETWORK),
        (Seat.ROOM, Seat.EXPERT, set[Seat](), "tcp", CauseClass.SITE_NETWORK),
        (Seat.ROOM, Seat.EXPERT, set[Seat](), "udp", CauseClass.EXPERT_SIDE),
        (Seat.EXPERT, Seat.ROOM, set[Seat](), "tcp", CauseClass.EXPERT_SIDE),
        (Seat.EXPERT, Seat.ROOM, {Seat.ROOM}, "tcp", CauseClass.SITE_NETWORK),
        (Seat.ROOM, Seat.EXPERT, {Seat.ROOM}, "udp", CauseClass.SITE_NETWORK),
        (Seat.EXPERT, Seat.ROOM, set[Seat](), "none", CauseClass.SERVER),
    ],
    ids=[
        "the expert meets the relay",
        "and loses the paper",
        "the room meets it by TCP alone",
        "the room meets it",
        "the expert meets it by TCP alone",
        "but the room is not heard",
        "but was away itself",
        "the relay is dead",
    ],
)
def test_where_both_are_heard_the_relay_tells_at_whose_end_udp_is_dropped(
    teller: Seat, lost: Seat, unheard: set[Seat], relay_protocol: str, cause: CauseClass
) -> None:
    told = cause_of(
        "unknown", teller=teller, lost=lost, unheard=unheard, seats=ALL, path=Path.RELAY, relay_protocol=relay_protocol
    )

    assert told is cause


@pytest.mark.parametrize(
    ("teller", "unheard", "relay_protocol", "cause"),
    [
        (Seat.EXPERT, set[Seat](), None, CauseClass.DOCUMENT_CAMERA),
        (Seat.EXPERT, set[Seat](), "none", CauseClass.DOCUMENT_CAMERA),
        (Seat.EXPERT, set[Seat](), "udp", CauseClass.SITE_NETWORK),
        (Seat.EXPERT, set[Seat](), "tcp", CauseClass.EXPERT_SIDE),
        (Seat.EXPERT, {Seat.EXPERT}, None, CauseClass.EXPERT_SIDE),
        (Seat.ROOM, set[Seat](), "tcp", CauseClass.DOCUMENT_CAMERA),
        (Seat.ROOM, set[Seat](), "udp", CauseClass.DOCUMENT_CAMERA),
    ],
)
def test_that_only_the_paper_is_lost_is_the_cameras_fault_unless_the_network_is_known_to_be(
    teller: Seat, unheard: set[Seat], relay_protocol: str | None, cause: CauseClass
) -> None:
    told = cause_of(
        "document_camera", teller=teller, lost=Seat.CAMERA, unheard=unheard, seats=ALL, relay_protocol=relay_protocol
    )

    assert told is cause


def test_an_agent_without_a_screen_beside_it_tells_of_its_network() -> None:
    alone = (Seat.CAMERA, Seat.EXPERT)

    cause = cause_of("unknown", teller=Seat.EXPERT, lost=Seat.CAMERA, unheard={Seat.CAMERA}, seats=alone)

    assert cause is side(Seat.CAMERA) is CauseClass.SITE_NETWORK
