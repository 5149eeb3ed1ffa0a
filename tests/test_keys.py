"""The file of keys: made once, whole, for its owner only, and the same ever after."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from etapalvelu.keys import KEY_BYTES, Keys, KeysError, load_keys


def test_keys_are_made_once_and_stay(tmp_path: Path) -> None:
    path = tmp_path / "keys"

    made = load_keys(path)

    assert load_keys(path) == made
    assert {len(key) for key in msgspec.structs.astuple(made)} == {KEY_BYTES}
    assert len(set(msgspec.structs.astuple(made))) == len(Keys.__struct_fields__)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_whoever_starts_at_the_same_moment_gets_the_same_keys(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / str(number) / "keys"
        path.parent.mkdir()

        with ThreadPoolExecutor(8) as threads:
            found = list(threads.map(load_keys, [path] * 8))

        assert found == [found[0]] * 8
        assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no JSON",
        b"{}",
        msgspec.json.encode({"ticket": b"t" * 32, "resume": b"r" * 31, "csrf": b"c" * 32}),
        msgspec.json.encode({"ticket": b"t" * 32, "resume": b"r" * 32, "csrf": b"c" * 32, "more": 1}),
    ],
)
def test_a_file_that_holds_no_good_keys_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "keys"
    path.write_bytes(content)

    with pytest.raises(KeysError, match="the file of keys cannot be used") as error:
        load_keys(path)

    assert str(error.value).startswith(f"{path}: ")
    assert path.read_bytes() == content


def test_a_place_where_no_file_can_be_made_is_named(tmp_path: Path) -> None:
    for path, words in (
        (tmp_path / "missing" / "keys", "the file of keys cannot be made: No such file or directory"),
        (tmp_path, "the file of keys cannot be used: "),
    ):
        with pytest.raises(KeysError) as error:
            load_keys(path)
        assert str(error.value).startswith(f"{path}: {words}")
