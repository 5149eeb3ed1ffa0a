"""The room's secret in the state directory: one file, readable by its owner only, and tied to one server."""

import os
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

FILE_NAME: Final = "agent.json"


class Credential(Struct, frozen=True, kw_only=True):
    server: str
    credential: str


class CredentialError(Exception):
    """The state directory or its file cannot be used; the text names it."""


def load(directory: Path, server: str) -> str | None:
    """The secret for this server, or None where this agent has not been paired with it."""
    path = directory / FILE_NAME
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Credential)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CredentialError(f"{path} cannot be read: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise CredentialError(f"{path} is damaged: pair the agent anew with --pair CODE") from error
    return kept.credential if kept.server == server else None


def save(directory: Path, server: str, credential: str) -> None:
    """Keep the secret; never for a moment can others read it."""
    path = directory / FILE_NAME
    fresh = directory / f"{FILE_NAME}.new"
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh.unlink(missing_ok=True)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(Credential(server=server, credential=credential)))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        raise CredentialError(f"{path} cannot be written: {error.strerror}") from error
