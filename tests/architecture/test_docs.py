"""README, CHANGELOG and docs/ name only pages, headings, files, make targets and settings that exist."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from pathlib import Path

import pytest

from devstack.settings import StackSettings
from tests.architecture.imports import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
_LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:\.ci|clients|devstack|docs|functions|infra|scripts|shared|tests)/[\w./-]*[\w/]")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def text_of(page: Path) -> str:
    """The page's text."""
    return page.read_text()


def anchors(page: Path) -> set[str]:
    """What links may name after the hash: headings in lower case, words joined by hyphens."""
    headings = _HEADING.findall(_FENCE.sub("", text_of(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def linked_from(page: Path) -> list[tuple[Path, str]]:
    """The files that the page links to, and the headings in them."""
    return [
        ((page.parent / path if path else page).resolve(), anchor)
        for path, anchor in _LINK.findall(text_of(page))
    ]


def settings() -> set[str]:
    """Every setting of the app and of the local stack."""
    of_the_app = re.findall(r"^\| `(\w+)`", text_of(ROOT / "docs/settings.md"), re.MULTILINE)
    return {*of_the_app, *(f"FLOE_{field.name.upper()}" for field in fields(StackSettings))}


def targets() -> set[str]:
    """Every target of the Makefile."""
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    broken = [
        f"{target}#{anchor}"
        for target, anchor in linked_from(page)
        if not target.exists() or (anchor and anchor not in anchors(target))
    ]
    assert broken == []


@each_page
def test_make_targets_exist(page: Path) -> None:
    named = set(re.findall(r"`(?:[A-Z_]+=\S+ )*make ([a-z-]+)", text_of(page)))
    named |= set(re.findall(r"^(?:\$ |[A-Z_]+=\S+ )*make ([a-z-]+)", text_of(page), re.MULTILINE))
    assert named <= targets()


@each_page
def test_settings_exist(page: Path) -> None:
    assert set(re.findall(r"\bFLOE_[A-Z][A-Z0-9_]*[A-Z0-9]", text_of(page))) <= settings()


@each_page
def test_files_exist(page: Path) -> None:
    named = [code for code in _CODE.findall(_FENCE.sub("", text_of(page))) if _PATH.fullmatch(code)]
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in reached and page.suffix == ".md" and page.exists():
            reached.add(page)
            waiting += [target for target, _ in linked_from(page)]
    assert set(PAGES) <= reached


def test_the_checks_find_something() -> None:
    assert {"run", "test", "demo"} <= targets()
    assert {"FLOE_PORT", "FLOE_FLUSH_SCHEDULE"} <= settings()
    assert "exactly-once" in anchors(ROOT / "docs/architecture.md")
    assert sum(len(linked_from(page)) for page in PAGES) > 10
