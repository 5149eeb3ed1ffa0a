import stat
from pathlib import Path

import pytest

from etapalvelu.room.credential import CredentialError, load, save

SERVER = "https://palvelu.example"


def test_the_secret_is_kept_for_its_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "var" / "state"

    save(directory, SERVER, "first")
    save(directory, SERVER, "second")

    assert load(directory, SERVER) == "second"
    assert stat.S_IMODE((directory / "agent.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert [path.name for path in directory.iterdir()] == ["agent.json"]


def test_the_secret_of_one_server_is_not_given_to_another(tmp_path: Path) -> None:
    save(tmp_path, SERVER, "secret")

    assert load(tmp_path, "https://other.example") is None


def test_without_a_file_there_is_no_secret(tmp_path: Path) -> None:
    assert load(tmp_path / "nowhere", SERVER) is None


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "agent.json").write_text("{}")

    with pytest.raises(CredentialError, match="is damaged: pair the agent anew"):
        load(tmp_path, SERVER)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "agent.json").mkdir()

    with pytest.raises(CredentialError, match="cannot be read: Is a directory"):
        load(tmp_path, SERVER)


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CredentialError, match="cannot be written: Not a directory"):
        save(tmp_path / "file" / "state", SERVER, "secret")
