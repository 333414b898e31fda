"""Headless Chromium, and pages in it that keep account of what went wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from devstack.tools import axe, chromium

# What axe calls so may not be found.
_SERIOUS = {"serious", "critical"}
_AXE_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser with a profile of its own. Raises ToolMissingError, which says what to install."""
    program = chromium.executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Visit:
    """The dashboard at `origin` in a context of its own; `errors` are what its console said, `requests` those
    that it made, `strangers` those of them that left the origin."""

    def __init__(self, browser: Browser, origin: str, **options: Any) -> None:
        self.origin = origin
        self.errors: list[str] = []
        self.requests: list[Request] = []
        self.context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        self.page: Page = self.context.new_page()
        self.page.clock.install()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def open(self) -> Visit:
        """Loads the page."""
        self.page.goto(f"{self.origin}/dashboard")
        return self

    def later(self, seconds: float) -> None:
        """Has the page's clock go on by so much at once; nobody waits for that."""
        self.page.clock.run_for(int(seconds * 1000))

    @property
    def strangers(self) -> list[str]:
        """Requests to other origins."""
        own = urlsplit(self.origin).netloc
        return [one.url for one in self.requests if urlsplit(one.url).netloc != own]

    def asked(self, path: str) -> int:
        """How many requests went to `path`."""
        return sum(urlsplit(one.url).path == path for one in self.requests)

    def text(self, selector: str) -> str:
        """The text of the first element that matches, seen or not."""
        return (self.page.locator(selector).first.text_content() or "").strip()

    def figure(self, event_type: str, name: str) -> int:
        """A number of a type's tile; -1 before it is known."""
        tile = self.page.locator("#tiles > li", has=self.page.locator(f"#spark-{event_type}"))
        shown = tile.locator(f'[data-figure="{name}"]').text_content() or ""
        return int(shown.replace(",", "")) if shown[:1].isdigit() else -1

    def wait_until[T](self, condition: Callable[[], T], *, each_time: float = 0, within: float = 60) -> T:
        """Lets the page go on until `condition` gives something true, which it returns.

        `each_time` are seconds of the page's clock that pass before each look; `within` are real ones.
        """
        deadline = time.monotonic() + within
        while not (seen := condition()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within} s; the page:\n{self.page.inner_text('body')}")
            if each_time:
                self.later(each_time)
            self.page.wait_for_timeout(50)
        return seen

    def violations(self) -> list[str]:
        """What axe finds that is serious or critical, in words."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(axe.script().read_text())
        found = self.page.evaluate("options => axe.run(document, options)", _AXE_RULES)["violations"]
        return [
            f"{one['id']}: {one['help']}: {node['html'][:200]} {node['failureSummary']}"
            for one in found
            if one["impact"] in _SERIOUS
            for node in one["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))
