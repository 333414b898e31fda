"""A browser for a module, and pages that must not have complained."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.dashboard.browser import Visit, running_browser

type NewVisit = Callable[..., Visit]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with running_browser() as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser) -> Iterator[NewVisit]:
    """Opens the dashboard at an origin; in the end nothing may have left it, and no page have complained."""
    visits: list[Visit] = []

    def new(origin: str, **options: Any) -> Visit:
        visits.append(Visit(browser, origin, **options))
        return visits[-1].open()

    yield new
    for one in visits:
        one.context.close()
    assert [one.strangers for one in visits] == [[] for _ in visits]
    assert [one.errors for one in visits] == [[] for _ in visits]
