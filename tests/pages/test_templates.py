"""What the content policy forbids must not be written in the first place."""

import re
from pathlib import Path

import pytest

from etapalvelu.pages import assets
from etapalvelu.pages.render import Renderer

FILES = sorted(assets.TEMPLATES.rglob("*.html"))
FORBIDDEN = {
    "an inline style": re.compile(r"<style\b|\sstyle\s*="),
    "an inline script": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)"),
    "an event in an attribute": re.compile(r"\son[a-z]+\s*="),
    "a javascript address": re.compile(r"javascript:", re.IGNORECASE),
    "a foreign address": re.compile(r"(?:src|href|action)\s*=\s*[\"'](?:https?:)?//"),
    "unescaped words": re.compile(r"\|\s*safe\b|autoescape\s+false"),
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_template_holds_nothing_that_the_policy_forbids(file: Path) -> None:
    words = file.read_text("utf-8")

    assert [name for name, pattern in FORBIDDEN.items() if pattern.search(words)] == []


def test_style_sheets_reach_for_no_other_host_and_no_colour_outside_the_tokens() -> None:
    sheets = {file.name: file.read_text("utf-8") for file in assets.STATIC.glob("css/*.css") if file.name != "tokens.css"}

    assert [name for name, words in sheets.items() if re.search(r"url\(|@import", words)] == []
    assert [name for name in ("base.css", "desk.css", "supervisor.css") if re.search(r"#[0-9a-f]{3,8}\b", sheets[name])] == []


def test_every_icon_that_a_template_names_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'id="i-([a-z-]+)"', (assets.TEMPLATES / "parts" / "icons.svg").read_text("utf-8")))
    named = {name for file in FILES for name in re.findall(r'\bicon\("([a-z-]+)"', file.read_text("utf-8"))}

    assert len(named) > 10
    assert named - sprite == set()


def test_a_static_address_carries_the_version_of_all_files_together(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    before = assets.static_version(tmp_path)
    (tmp_path / "b.css").write_text("b")

    assert assets.static_version(tmp_path) != before
    assert Renderer().asset("css/base.css") == f"/static/{assets.static_version()}/css/base.css"
