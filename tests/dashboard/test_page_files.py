"""The page's own files: what they load, how long they are, and whether their colours can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from functions.http.dashboard_page import FILES
from tests.architecture.imports import ROOT

FOLDER = ROOT / "functions/http/dashboard"
OWN = sorted(FOLDER.iterdir())
PAGE = (FOLDER / "index.html").read_text()
# What `make setup` puts beside them, under these names.
FROM_NPM = {"uplot.js", "uplot.css"}
_COLOUR = re.compile(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)")
COLOURS = {name: pair for name, *pair in _COLOUR.findall((FOLDER / "colours.css").read_text())}
TYPES = ("user-action", "transaction", "page-view", "error", "system-metric", "further")
# On what each stands: text at 4.5:1, lines and marks at 3:1.
TEXTS = {
    **dict.fromkeys(("quiet", "accent"), ("ground", "panel", "raised")),
    "text": ("ground", "panel", "raised", "warning-ground"),
    "warning": ("ground", "panel"),
    "bad": ("ground", "panel", "bad-ground"),
    "on-accent": ("accent",),
    "panel": ("bad",),
}
MARKS = {
    **dict.fromkeys(TYPES, ("panel",)),
    "mark": ("panel",),
    "expected": ("panel",),
    "observed": ("panel",),
}
MARKS |= {"focus": ("ground", "panel"), "good": ("ground",)}


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_no_file_is_long_and_none_reaches_elsewhere(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < 300
    elsewhere = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}\S*", text)
    assert [url for url in elsewhere if not url.startswith("http://www.w3.org/2000/svg")] == []
    assert FILES.read(path.name)[0] == path.read_bytes()


def test_what_is_loaded_is_there() -> None:
    named = set(re.findall(r'(?:src|href)="/dashboard/([^"]+)"', PAGE))
    for path in OWN:
        named |= set(re.findall(r'from "\./([^"]+)"', path.read_text())) if path.suffix == ".js" else set()
    assert named == {path.name for path in OWN} - {"index.html"} | FROM_NPM
    for name in FROM_NPM:
        assert FILES.read(name)[0]


def test_the_policy_forbids_what_the_page_does_not_do() -> None:
    policy = FILES.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert re.findall(r"<style|<script(?![^>]*src=)| style=| on[a-z]+=", PAGE) == []
    scripts = "".join(path.read_text() for path in OWN if path.suffix == ".js")
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|\beval\(|new Function", scripts) == []


def test_every_id_that_the_scripts_ask_for_is_on_the_page() -> None:
    scripts = "".join(path.read_text() for path in OWN if path.suffix == ".js")
    asked = set(re.findall(r'byId\("([^"]+)"\)', scripts))
    assert len(asked) > 20
    assert asked <= set(re.findall(r'id="([^"]+)"', PAGE))


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 has it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Their contrast, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("uses", "least"), [(TEXTS, 4.5), (MARKS, 3.0)], ids=["texts", "marks"])
def test_colours_can_be_read(uses: dict[str, tuple[str, ...]], least: float, theme: int) -> None:
    poor = [
        f"{name} on {ground}: {found:.2f}"
        for name, grounds in uses.items()
        for ground in grounds
        if (found := contrast(COLOURS[name][theme], COLOURS[ground][theme])) < least
    ]
    assert poor == []
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
