"""`etapalvelu room --check`: the room's PC looks at itself once, and a person reads what was found."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol

from etapalvelu.domain.codes import Readiness
from etapalvelu.domain.readiness import Check, CheckCode, CheckNote, CheckResult, found_readiness, to_look_at, to_mend
from etapalvelu.pages.assets import LOCALE
from etapalvelu.pages.check_views import told_figure
from etapalvelu.pages.language import Language, load_languages

READY, BROKEN, TO_LOOK_AT = 0, 1, 3
# Whoever reads it has just waited for it.
_JUST_NOW = datetime.min.replace(tzinfo=UTC)


class Finding(Protocol):
    """One thing that the agent looked at."""

    @property
    def code(self) -> str: ...

    @property
    def result(self) -> str: ...

    @property
    def figure(self) -> float | None: ...

    @property
    def note(self) -> str | None: ...


def report(found: Sequence[Finding], lang: str, *, is_told: bool) -> tuple[list[str], int]:
    """Lines to read, and the exit code: the room can be used, it cannot, or it can and somebody should look at something."""
    checks, language = [_check(finding) for finding in found], load_languages(LOCALE)[lang]
    readiness = found_readiness(checks)
    words = [*_lines(checks, language), language.text(f"readiness.{readiness}")]
    if not is_told:
        words.append(language.text("room_check.not_told"))
    if readiness is Readiness.BROKEN:
        return words, BROKEN
    return words, TO_LOOK_AT if to_look_at(checks) else READY


def _check(finding: Finding) -> Check:
    return Check(
        code=CheckCode(finding.code),
        result=CheckResult(finding.result),
        at=_JUST_NOW,
        figure=finding.figure,
        note=None if finding.note is None else CheckNote(finding.note),
    )


def _lines(checks: Sequence[Check], language: Language) -> Iterator[str]:
    advised = {*to_mend(checks), *to_look_at(checks)}
    for check in checks:
        facts = [language.text(f"check_note.{check.note}")] if check.note else []
        figure, unit = told_figure(check)
        if figure is not None and unit:
            facts.append(language.text(unit, figure=language.number(figure)))
        told = f"{language.text(f'check.{check.code}')}: {language.text(f'check_result.{check.result}')}"
        yield f"{told} ({', '.join(facts)})" if facts else told
        if check.code in advised:
            yield f"    {language.text(f'check_do.{check.code}')}"
