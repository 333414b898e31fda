"""`python -m scripts.screenshots`: takes pictures of the dashboard of a running stack for docs/images."""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from devstack.demo.stack import running_stack
from devstack.home import StackError
from devstack.settings import read_settings
from devstack.tools import PROJECT, chromium
from devstack.tools.installation import ToolMissingError
from scripts.screenshots.palette import palette_png

IMAGES = PROJECT / "docs/images"
SHOTS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1360, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1360, "height": 900}},
    "phone": {"color_scheme": "light", "viewport": {"width": 375, "height": 1180}, "is_mobile": True},
}
_HISTORY = timedelta(hours=24)
_EVENTS = 200_000
_INCIDENTS = 5
# The scan comes to the end of a day's history within minutes.
_PATIENCE_SECONDS = 900.0
# From the browser's own decoder: four bytes a pixel, as base64.
_PIXELS = """async (png) => {
  const image = await createImageBitmap(await (await fetch('data:image/png;base64,' + png)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  const context = canvas.getContext('2d');
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const part = 32768;
  let text = '';
  for (let at = 0; at < data.length; at += part) text += String.fromCharCode(...data.subarray(at, at + part));
  return [image.width, image.height, btoa(text)];
}"""


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.screenshots",
        description="Picture the dashboard of the stack in $FLOE_HOME, or of one that is started for it. "
        "Where it has no events, a day of traffic is simulated first.",
    )
    parser.add_argument("--type", default="transaction", help="the series that is shown (%(default)s)")
    parser.add_argument("--region", default="", help="of one region (all)")
    parser.add_argument("--metric", default="count", choices=["count", "mean"], help="(%(default)s)")
    given = parser.parse_args()
    series = {"type": given.type, "region": given.region, "metric": given.metric, "range": "24"}
    try:
        with running_stack(read_settings().home) as stack:
            if not _ask(stack.http_url, "/api/stats")["stats"]["total_events"]:
                _simulate(stack.http_url)
            with _browser() as browser:
                for name, options in SHOTS.items():
                    _picture(browser, stack.http_url, name, options, series)
    except (StackError, ToolMissingError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


@contextmanager
def _browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.executable(), args=list(chromium.FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def _picture(browser: Browser, url: str, name: str, options: dict[str, Any], series: dict[str, str]) -> None:
    """Writes one picture, once every panel has shown something."""
    context = browser.new_context(timezone_id="UTC", locale="en-GB", **options)
    page = context.new_page()
    page.goto(f"{url}/dashboard")
    page.select_option("#rates-range", "24")
    if series["region"]:
        page.wait_for_selector(f"#series-region option[value='{series['region']}']", state="attached")
    for control, value in series.items():
        page.select_option(f"#series-{control}", value)
    for shown in ("#rates-chart canvas", "#series-chart canvas", "#anomalies-list .severity", ".stream dl"):
        page.wait_for_selector(shown)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # for the panels' last answers to be painted
    data = page.screenshot(full_page="is_mobile" not in options, animations="disabled")
    target = IMAGES / f"dashboard-{name}.png"
    target.parent.mkdir(exist_ok=True)
    target.write_bytes(_with_palette(context.new_page(), data))
    print(f"{target.relative_to(PROJECT)}: {target.stat().st_size // 1024} KiB")
    context.close()


def _with_palette(page: Page, png: bytes) -> bytes:
    width, height, pixels = page.evaluate(_PIXELS, base64.b64encode(png).decode())
    return palette_png(base64.b64decode(pixels), width, height)


def _simulate(url: str) -> None:
    """A day of traffic, until its incidents are found."""
    now = datetime.now(UTC)
    span = {"start_time": (now - _HISTORY).isoformat(), "end_time": now.isoformat()}
    wanted = {"num_events": _EVENTS, "seed": 42, "incidents": _INCIDENTS, **span}
    print(_ask(url, "/api/simulate", wanted)["message"])
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _ask(url, "/api/anomalies?severity=critical&limit=1")["count"]:
        if time.monotonic() > deadline:
            raise SystemExit("no anomaly was found in time")
        time.sleep(2)


def _ask(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{url}{path}", data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        return json.load(response)


if __name__ == "__main__":
    sys.exit(main())
