"""The server's own keys: made once, kept in one file of mode 0600, never in the database.

Tickets, resume tokens and form tokens stay good over a restart because the file stays.
"""

import os
import secrets
from pathlib import Path

import msgspec

KEY_BYTES = 32


class KeysError(Exception):
    """The file of keys cannot be read or made; the message is one line for a person."""


class Keys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Each is `KEY_BYTES` random bytes, and each signs one kind of thing only."""

    ticket: bytes
    resume: bytes
    csrf: bytes


def load_keys(path: Path) -> Keys:
    """The keys in the file, made there at the first start. Raises `KeysError`."""
    try:
        return _read(path)
    except FileNotFoundError:
        return _make(path)
    except (OSError, msgspec.DecodeError) as error:
        raise KeysError(f"{path}: the file of keys cannot be used: {error}") from None


def _read(path: Path) -> Keys:
    keys = msgspec.json.decode(path.read_bytes(), type=Keys)
    if min(map(len, (keys.ticket, keys.resume, keys.csrf))) < KEY_BYTES:
        raise msgspec.DecodeError(f"each key has at least {KEY_BYTES} bytes")
    return keys


def _make(path: Path) -> Keys:
    """Written whole under another name first: whoever starts at the same moment sees all of it or nothing."""
    keys = Keys(**{name: secrets.token_bytes(KEY_BYTES) for name in Keys.__struct_fields__})
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(msgspec.json.encode(keys))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, path)
        finally:
            draft.unlink()
    except FileExistsError:
        return load_keys(path)
    except OSError as error:
        raise KeysError(f"{path}: the file of keys cannot be made: {error.strerror}") from None
    return keys
