import re
from pathlib import Path

from signaling.errors import CLOSE_CODES, PeerError, RefusedError, close_code

SOURCE = Path(__file__).parents[2] / "signaling"
RAISED = re.compile(r'(?:PeerError|TicketError|\.refuse|cut)\(\s*(?:seat, )?"([a-z_]+)"|code="([a-z_]+)"')


def test_every_code_in_the_source_has_its_close_code_and_every_close_code_its_use() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SOURCE.glob("*.py") if path.stem not in {"client"}]
    raised = {first or second for text in texts for first, second in RAISED.findall(text)}

    assert raised == set(CLOSE_CODES)


def test_a_code_of_the_service_closes_as_a_refusal() -> None:
    assert close_code("wrong_state") == 4403


def test_an_error_reads_as_code_and_text() -> None:
    error = RefusedError("wrong_state", "the session is closed")

    assert (error.code, error.text, str(error)) == (
        "wrong_state",
        "the session is closed",
        "wrong_state: the session is closed",
    )
    assert not isinstance(error, PeerError)
