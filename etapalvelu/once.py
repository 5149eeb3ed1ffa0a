"""A deed that comes again under its idempotency key is answered as the first time, refusals included.

The key stands first in the deed's own transaction, so it is not looked for beforehand: most deeds come once.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar, cast

from etapalvelu.domain.errors import ConflictError, RefusalError, StaleError, TryAgainError
from etapalvelu.domain.session import Session
from etapalvelu.ports import Answer, DeedKey, KeyKnownError, SessionStore

T = TypeVar("T", bound=Session | None)


async def once(sessions: SessionStore, key: DeedKey | None, deed: Callable[[], Awaitable[T]]) -> T:
    """Do the deed, or answer as it was answered under this key before. Raises what the deed raises, and `KeyReusedError`."""
    if key is None:
        return await deed()
    try:
        return await deed()
    except TryAgainError:
        # Asking the same database for an earlier answer would make the person wait twice as long.
        raise
    except KeyKnownError:
        known = await sessions.answer(key)
    except RefusalError as refusal:
        known = await _answered(sessions, key, refusal)
        if known is None:
            raise
    if known is None:
        raise StaleError
    if known.code is not None:
        raise ConflictError.again(known.code, known.facts)
    return cast(T, known.session)  # None is what only `take` ever kept


async def _answered(sessions: SessionStore, key: DeedKey, refusal: RefusalError) -> Answer | None:
    """What the key answered before it is refused now. A refusal by how things stand is kept when it is the first answer."""
    if isinstance(refusal, ConflictError):
        with suppress(KeyKnownError):
            await sessions.keep_answer(key, Answer(code=refusal.code, facts=refusal.facts))
            return None
    return await sessions.answer(key)
