"""Which HTTP status says a refusal, to pages and to programs alike."""

from http import HTTPStatus

from etapalvelu.domain.errors import (
    ConflictError,
    InvalidFieldError,
    KeyReusedError,
    NotAllowedError,
    NotFoundError,
    RefusalError,
    TooManyAttemptsError,
    TryAgainError,
    WrongCredentialsError,
)

STATUSES: tuple[tuple[type[RefusalError], HTTPStatus], ...] = (
    (WrongCredentialsError, HTTPStatus.UNAUTHORIZED),
    (NotAllowedError, HTTPStatus.FORBIDDEN),
    (NotFoundError, HTTPStatus.NOT_FOUND),
    (ConflictError, HTTPStatus.CONFLICT),
    (InvalidFieldError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (KeyReusedError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (TooManyAttemptsError, HTTPStatus.TOO_MANY_REQUESTS),
    (TryAgainError, HTTPStatus.SERVICE_UNAVAILABLE),
)


def status_of(refusal: RefusalError) -> HTTPStatus:
    return next((status for kind, status in STATUSES if isinstance(refusal, kind)), HTTPStatus.BAD_REQUEST)
