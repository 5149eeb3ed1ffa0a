"""Passwords: argon2 in a few threads, so that a flood of sign-ins can neither stop the loop nor eat the memory."""

import asyncio
import base64
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from etapalvelu.domain.errors import TryAgainError

# Each check holds 64 MiB; more threads would not be faster on a small machine.
THREADS = 2

# Who comes when this many are in line is asked to try again.
LONGEST_LINE = 64

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 200

T = TypeVar("T")


class Passwords:
    """Hashes and checks. A check takes the same work whether or not there is such an account."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._nobodys = _no_ones_hash(self._hasher)
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="argon2")
        self._in_line = 0

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.hash(_normal(password)))

    async def is_right(self, password: str, password_hash: str | None) -> bool:
        """Truth that the password belongs to the hash; with None (no such account) the same work, and False."""
        is_right = await self._run(lambda: self._verify(password, password_hash or self._nobodys))
        return is_right and password_hash is not None

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    def _verify(self, password: str, password_hash: str) -> bool:
        if len(password) > LONGEST_PASSWORD:
            return False
        try:
            return self._hasher.verify(password_hash, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._in_line >= LONGEST_LINE:
            raise TryAgainError
        self._in_line += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._in_line -= 1


def _no_ones_hash(hasher: PasswordHasher) -> str:
    """As dear to check as any hash of this hasher. It is made up, since making one would hold up each start of the server."""
    parts = (secrets.token_bytes(hasher.salt_len), secrets.token_bytes(hasher.hash_len))
    salt, digest = (base64.b64encode(part).decode().rstrip("=") for part in parts)
    return f"$argon2id$v=19$m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}${salt}${digest}"


def _normal(password: str) -> str:
    """The same letters typed on another keyboard (ä as one sign or as two) are the same password."""
    return unicodedata.normalize("NFKC", password)
