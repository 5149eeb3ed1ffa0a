"""The commands that make accounts and tokens."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from etapalvelu.domain.themes import THEMES
from etapalvelu.passwords import SHORTEST_PASSWORD
from tests.cli.conftest import Shell


def test_an_account_is_added_once(shell: Shell, config: Path) -> None:
    add = (
        "staff",
        "add",
        "eero",
        "--role",
        "expert",
        "--themes",
        "pensions,families",
        "--languages",
        "fi, sv",
        "--name",
        "Eero Esimerkki",
        "--title",
        "asiantuntija",
        "--config",
        str(config),
    )

    first = shell(*add, stdin="long enough password\n")
    second = shell(*add, stdin="long enough password\n")

    assert (first.code, first.out, first.err) == (0, "added eero (expert)\n", "")
    assert second.refusal() == "account: there is one of this name already; choose another"
    with closing(sqlite3.connect(config.parent / "etapalvelu.sqlite")) as database:
        (account,) = database.execute(
            "SELECT name, role, point, themes, languages, shown_name, title, password_hash FROM account"
        ).fetchall()
    asked = ("eero", "expert", None, '["pensions","families"]', '["fi","sv"]', "Eero Esimerkki", "asiantuntija")
    assert account[:7] == asked
    assert account[7].startswith("$argon2id$")


@pytest.mark.parametrize(
    ("arguments", "password", "words"),
    [
        (
            "Eero --role expert",
            "long enough password",
            "account: malformed; write up to 40 small letters, digits, dots and dashes",
        ),
        ("eero --role expert", "short", f"password: too short; at least {SHORTEST_PASSWORD} characters"),
        ("eero --role expert", "", f"password: too short; at least {SHORTEST_PASSWORD} characters"),
        (
            "eero --role expert --themes taxes",
            "long enough password",
            f"themes: one is unknown; themes are {', '.join(theme.key for theme in THEMES)}",
        ),
        ("aino --role advisor", "long enough password", "point: an advisor works at one; name it with --point"),
        ("aino --role advisor --point nowhere", "long enough password", "point: there is none of this name"),
    ],
)
def test_an_account_that_cannot_be_is_refused_by_its_field(
    shell: Shell, config: Path, arguments: str, password: str, words: str
) -> None:
    outcome = shell("staff", "add", *arguments.split(), "--config", str(config), stdin=f"{password}\n" if password else "")

    assert outcome.refusal() == words


def test_a_token_is_alone_on_stdout_and_kept_nowhere(shell: Shell, config: Path) -> None:
    shell("staff", "add", "eero", "--role", "expert", "--config", str(config), stdin="long enough password\n")

    outcome = shell("token", "add", "eero", "--name", "reporting", "--config", str(config))

    assert (outcome.code, outcome.err) == (0, "")
    (token,) = outcome.out.splitlines()
    assert len(token) >= 43
    with closing(sqlite3.connect(config.parent / "etapalvelu.sqlite")) as database:
        (login,) = database.execute("SELECT kind, account, role, label, expires_at, revoked, id FROM login").fetchall()
    assert login[:6] == ("token", "eero", "expert", "reporting", None, 0)
    assert token not in login[6]


def test_a_token_for_nobody_is_refused(shell: Shell, config: Path) -> None:
    refusal = shell("token", "add", "nobody", "--config", str(config)).refusal()

    assert refusal == "account: there is none of this name that may sign in; make one with `etapalvelu staff add`"
