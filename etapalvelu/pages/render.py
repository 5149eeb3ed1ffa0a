"""Templates to HTML. The one place that knows jinja2; it escapes everything and fails on a name it was not given."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache

import jinja2
from jinja2 import pass_context
from jinja2.runtime import Context

from etapalvelu.pages import assets
from etapalvelu.pages.language import Language, duration, load_languages


class Renderer:
    """`version` stands in the address of every static file."""

    def __init__(self) -> None:
        self.version = assets.static_version()
        self.languages = load_languages(assets.LOCALE)
        self._templates = _environment()
        self._templates.globals["asset"] = self.asset

    def asset(self, name: str) -> str:
        return f"/static/{self.version}/{name}"

    def page(self, template: str, lang: str, values: Mapping[str, object]) -> str:
        """Render a whole page, or one fragment of it. `values` fill the names the template asks for."""
        return self._templates.get_template(template).render(values, lang=lang, language=self.languages[lang])


@cache
def the_renderer() -> Renderer:
    """The one of this process: templates are compiled once."""
    return Renderer()


def _environment() -> jinja2.Environment:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(assets.TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals["_"] = _text
    templates.globals["texts"] = _texts
    templates.filters["duration"] = duration
    templates.filters["clock"] = _clock
    templates.filters["exact_clock"] = _exact_clock
    templates.filters["moment"] = _moment
    templates.filters["day"] = _day
    templates.filters["month"] = _month
    templates.filters["number"] = _number
    return templates


def _spoken(context: Context) -> Language:
    language = context["language"]
    if not isinstance(language, Language):
        raise TypeError(language)
    return language


@pass_context
def _text(context: Context, key: str, **facts: object) -> str:
    return _spoken(context).text(key, **facts)


@pass_context
def _texts(context: Context, prefix: str) -> dict[str, str]:
    return _spoken(context).below(prefix)


@pass_context
def _clock(context: Context, at: datetime) -> str:
    return _spoken(context).clock(at)


@pass_context
def _exact_clock(context: Context, at: datetime) -> str:
    return _spoken(context).exact_clock(at)


@pass_context
def _moment(context: Context, at: datetime) -> str:
    return _spoken(context).moment(at)


@pass_context
def _day(context: Context, day: date) -> str:
    return _spoken(context).day(day)


@pass_context
def _month(context: Context, first: date) -> str:
    return _spoken(context).month(first)


@pass_context
def _number(context: Context, value: float) -> str:
    return _spoken(context).number(value)
