from signaling.sdp import candidate_fault, description_fault, relay_candidate, relay_description
from tests.signaling.samples import HIDDEN_RELAY, HOST, RELAY, RELAY_SDP, SDP


def test_a_relay_only_description_keeps_relay_candidates_and_no_address_of_the_sender() -> None:
    assert relay_description(SDP) == RELAY_SDP


def test_line_ends_stay_as_they_were() -> None:
    assert relay_description(SDP.replace("\r\n", "\n")) == RELAY_SDP.replace("\r\n", "\n")


def test_what_is_left_is_still_a_description() -> None:
    assert description_fault(RELAY_SDP) is None


def test_a_description_without_a_last_line_end_is_a_description() -> None:
    assert description_fault(SDP.removesuffix("\r\n")) is None


def test_a_host_candidate_does_not_pass() -> None:
    assert relay_candidate(HOST) is None


def test_a_relay_candidate_passes_without_the_address_behind_it() -> None:
    assert relay_candidate(RELAY) == HIDDEN_RELAY


def test_an_ipv6_address_behind_a_relay_candidate_is_hidden_too() -> None:
    text = RELAY.replace("203.0.113.9", "2001:db8::9")

    assert relay_candidate(text) == HIDDEN_RELAY.replace("raddr 0.0.0.0", "raddr ::")


def test_the_end_of_candidates_passes() -> None:
    assert relay_candidate("") == ""


def test_an_mdns_name_is_an_address() -> None:
    assert candidate_fault(HOST.replace("192.0.2.10", "0b7e6f04-3c5e-4b0a-9d68-0f9ac6ea3c62.local")) is None


def test_a_huge_description_is_refused() -> None:
    assert description_fault(SDP + "a=x\r\n" * 20_000) == "sdp is longer than 60000 characters"
