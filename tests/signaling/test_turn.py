import pytest

from signaling.turn import IceServer, as_json, credential, ice_servers


def test_credentials_are_those_coturn_computes() -> None:
    # echo -n 1790007200:seat-7 | openssl dgst -sha1 -hmac secret -binary | base64
    assert credential("seat-7", "secret", 1_790_000_000.9) == ("1790007200:seat-7", "V/2byRRKDTBtTpT1O1zl7liDj+U=")


def test_stun_urls_carry_no_credentials_and_turn_urls_do() -> None:
    username, password = credential("seat-7", "secret", 1_790_000_000, 60)

    servers = ice_servers(
        ["stun:stun.example", "turn:turn.example?transport=udp", "turns:turn.example"],
        "secret",
        "seat-7",
        1_790_000_000,
        60,
    )

    assert servers == [
        IceServer(urls=("stun:stun.example",)),
        IceServer(urls=("turn:turn.example?transport=udp", "turns:turn.example"), username=username, credential=password),
    ]


def test_without_urls_there_are_no_servers() -> None:
    assert ice_servers([], "secret", "seat-7", 0) == []


def test_any_other_url_is_refused() -> None:
    with pytest.raises(ValueError, match="stun"):
        ice_servers(["https://turn.example"], "secret", "seat-7", 0)


def test_the_list_reads_as_plain_objects() -> None:
    assert as_json([IceServer(urls=("turn:t",), username="u", credential="c"), IceServer(urls=("stun:s",))]) == [
        {"urls": ["turn:t"], "username": "u", "credential": "c"},
        {"urls": ["stun:s"]},
    ]
