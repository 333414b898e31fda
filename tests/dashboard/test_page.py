"""The dashboard of a running stack: it shows what the API tells, by itself, to everybody."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from functions.http.dashboard_page import FILES
from shared.adapters.table_storage import TableStorage
from shared.anomalies.models import Alarm, Series
from shared.anomalies.records import id_of
from shared.anomalies.stories import Stories
from shared.platform.clock import utc_now
from tests.dashboard.browser import Visit
from tests.dashboard.conftest import NewVisit
from tests.place import account_of
from tests.stack.running import RunningStack

pytestmark = pytest.mark.stack

# Where the first Tab leads, and on from there.
FIRST_STOPS = ["Skip to the figures", "Pause", "Theme: system", "API key", "API", "See the list"]
FIGURES = {
    "five-minutes": "realtime_counts",
    "hour": "recent_aggregations_1h",
    "day": "event_counts_24h",
}


@pytest.fixture(scope="module")
def floe(stack: RunningStack) -> Iterator[httpx.Client]:
    """The stack's API."""
    with httpx.Client(base_url=stack.info["http_url"], timeout=30) as client:
        yield client


@pytest.fixture
def dashboard(floe: httpx.Client, visit: NewVisit) -> Callable[..., Visit]:
    """Opens the stack's dashboard and waits for its first figures."""

    def open_page(**options: Any) -> Visit:
        seen = visit(str(floe.base_url).rstrip("/"), **options)
        seen.wait_until(lambda: seen.figure("error", "day") >= 0 and seen.page.is_visible("#streams dl"))
        return seen

    return open_page


def send(floe: httpx.Client, event_type: str, count: int, when: datetime | None = None, **data: Any) -> str:
    """Sends as many events in one batch; their region, which nobody else uses."""
    region = f"r-{uuid.uuid4().hex[:6]}"
    event: dict[str, Any] = {"event_type": event_type, "data": {"region": region, "value": 1, **data}}
    if when is not None:
        event["timestamp"] = when.isoformat()
    assert floe.post("/api/events/batch", json=[event] * count).raise_for_status().json()["count"] == count
    return region


def test_the_page_comes_with_its_policy_and_is_not_sent_twice(floe: httpx.Client) -> None:
    for path in ("/dashboard", "/dashboard/main.js", "/dashboard/uplot.js"):
        answer = floe.get(path)
        assert answer.headers["Content-Security-Policy"] == FILES.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-cache"
        again = floe.get(path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (answer.status_code, again.status_code) == (200, 304)
    assert floe.get("/dashboard/no-such.js").status_code == 404


def test_the_counts_are_those_of_the_api_and_follow_new_events(
    floe: httpx.Client, dashboard: Callable[..., Visit]
) -> None:
    send(floe, "transaction", 7)
    seen = dashboard()

    def same() -> bool:
        """Both may move on between the two looks, but not for ever."""
        seen.later(5)
        summary = floe.get("/api/dashboard/summary").json()["summary"]
        return (
            all(
                seen.figure(event_type, name) == count
                for name, field in FIGURES.items()
                for event_type, count in summary[field].items()
            )
            and seen.text('[data-figure="anomalies-24h"]') == f"{summary['anomalies_24h']:,}"
        )

    seen.wait_until(same)
    before = seen.figure("transaction", "day")
    assert before >= 7
    send(floe, "transaction", 5)
    seen.wait_until(lambda: same() and seen.figure("transaction", "day") == before + 5)
    assert seen.page.is_hidden("#welcome")


def test_the_charts_are_drawn_and_stand_in_tables_too(
    floe: httpx.Client, dashboard: Callable[..., Visit]
) -> None:
    minute = utc_now().replace(second=0, microsecond=0) - timedelta(minutes=3)
    region = send(floe, "error", 13, minute + timedelta(seconds=20))
    window = {"window": 60, "event_type": "error", "start_time": minute.isoformat()}
    window["end_time"] = (minute + timedelta(minutes=1)).isoformat()

    def counted() -> int:
        found = floe.get("/api/aggregations", params=window).json()["aggregations"]
        return int(found[0]["count"]) if found else 0

    seen = dashboard(timezone_id="UTC", locale="en-GB")
    seen.wait_until(lambda: counted() >= 13)
    seen.page.select_option("#rates-range", "1")
    seen.page.locator("#rates summary").click()
    seen.page.select_option("#series-type", "error")
    seen.page.select_option("#series-range", "1")
    seen.page.locator("#series summary").click()
    clock = minute.strftime("%H:%M")

    def cells(panel: str) -> list[str]:
        seen.later(16)
        rows = seen.page.locator(f"#{panel}-table tr", has=seen.page.get_by_text(re.compile(f"{clock}$")))
        return rows.first.locator("td").all_text_contents() if rows.count() else []

    # Columns of the rates are the five types, in their order; the series' first is what was observed.
    seen.wait_until(lambda: cells("rates")[3:4] == [str(counted())])
    seen.wait_until(lambda: cells("series")[:1] == [str(counted())])
    for panel in ("rates", "series"):
        drawn = f"""[...document.querySelector('#{panel}-chart canvas').getContext('2d')
            .getImageData(0, 0, 800, 200).data].some((value) => value !== 0)"""
        assert seen.page.evaluate(drawn)
        assert "Errors" in (seen.page.get_attribute(f"#{panel}-chart", "aria-label") or "")
    # By region, and in the table of regions.
    seen.page.select_option("#rates-split", "error")
    seen.page.select_option("#regions-type", "error")
    seen.wait_until(lambda: region in seen.text("#regions-rows"))
    seen.wait_until(lambda: region in seen.text("#rates-legend") or "further" in seen.text("#rates-legend"))
    assert "13" in seen.page.locator("#regions-rows tr", has_text=region).inner_text()


def test_an_anomaly_is_listed_shown_and_acknowledged(
    stack: RunningStack, floe: httpx.Client, dashboard: Callable[..., Visit]
) -> None:
    region = send(floe, "page_view", 3)
    minute = int(datetime.now(UTC).timestamp()) // 60 - 5
    series = Series("page_view", region, "count")
    tables = TableStorage(account_of(stack.info["storage_connection_string"]))
    stories = Stories(tables, utc_now, timedelta(days=1))
    stories.load()
    assert stories.tell(Alarm(series, minute, 90.0, 3.0, 45.0, "level", open=False))
    seen = dashboard()
    entry = seen.page.locator("#anomalies-list > li", has_text=region)
    entry.wait_for()
    text = entry.inner_text()
    assert "high" in text
    assert "90 where 3 was expected (+2,900 %)" in text
    entry.get_by_role("button", name=re.compile("^Show")).click()
    seen.wait_until(lambda: region in (seen.page.get_attribute("#series-chart", "aria-label") or ""))
    seen.wait_until(lambda: "high at" in (seen.page.get_attribute("#series-chart", "aria-label") or ""))
    entry.get_by_role("button", name=re.compile("^Acknowledge")).click()
    entry.get_by_text("Acknowledged").wait_for()
    assert seen.text("#announcements").startswith("Acknowledged: Page views")
    # The focus did not get lost with the button.
    assert seen.page.evaluate("document.activeElement.textContent") == "Show"
    listed = floe.get("/api/anomalies", params={"region": region}).json()["anomalies"]
    assert [(one["id"], one["acknowledged"]) for one in listed] == [(id_of(series, minute), True)]
    seen.page.check("#anomalies-open")
    entry.wait_for(state="detached")


def test_the_pipeline_is_told_as_the_api_tells_it(
    floe: httpx.Client, dashboard: Callable[..., Visit]
) -> None:
    send(floe, "user_action", 2)
    floe.post("/storage/flush").raise_for_status()
    seen = dashboard()
    cards = seen.page.locator(".stream")
    assert cards.count() == len(floe.get("/api/dashboard/pipeline").json()["tables"])

    def same() -> bool:
        seen.later(5)
        [events] = [t for t in floe.get("/api/dashboard/pipeline").json()["tables"] if t["name"] == "events"]
        kept = events["dead_letters"]
        wanted = [
            f"version {events['version']:,}",
            f"{events['lag_messages']:,} messages",
            f"{events['buffered_rows']:,} rows",
            f"{events['last_commit']['kind']} ",
            f"{kept['last_24h']:,} in 24 h, {kept['total']:,} kept",
        ]
        return all(text in cards.first.inner_text() for text in wanted)

    seen.wait_until(same)
    seen.wait_until(lambda: "POST /storage/flush" in seen.text("#operations-rows"))
    assert seen.text("#health") != "Health is not known"


def test_the_command_that_it_shows_sends_an_event(
    floe: httpx.Client, dashboard: Callable[..., Visit]
) -> None:
    command = dashboard().text("#welcome-command")
    done = subprocess.run(["bash", "-c", f"{command} -s"], capture_output=True, text=True, check=True)
    assert '"status":"success"' in done.stdout, done.stdout


def test_everything_is_reached_by_keyboard_and_seen_to_be(dashboard: Callable[..., Visit]) -> None:
    seen = dashboard()
    focused = """() => {
      const at = document.activeElement, { outlineStyle, outlineWidth } = getComputedStyle(at);
      const { width, height, right, bottom } = at.getBoundingClientRect();
      return { text: at.textContent.trim(), id: at.id, name: at.tagName,
               outlined: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1,
               visible: width > 0 && height > 0 && right > 0 && bottom > 0 };
    }"""
    stops: list[dict[str, Any]] = []
    while True:
        seen.page.keyboard.press("Tab")
        stop = seen.page.evaluate(focused)
        if stop["name"] == "BODY":
            break
        stops.append(stop)
        assert len(stops) < 150, "the focus goes round and round"
    assert [stop["text"] for stop in stops[: len(FIRST_STOPS)]] == FIRST_STOPS
    assert [stop for stop in stops if not (stop["outlined"] and stop["visible"])] == []
    reached = {stop["id"] for stop in stops}
    controls = seen.page.evaluate(
        """[...document.querySelectorAll('main select, main input')].filter((e) => e.checkVisibility())
           .map((e) => e.id)"""
    )
    assert set(controls) <= reached
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Enter")
    assert seen.page.evaluate("document.activeElement.id") == "main"
    # A dialog gives the focus back.
    seen.page.focus("#key")
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_selector("#key-dialog[open]")
    seen.page.keyboard.press("Escape")
    assert seen.page.evaluate("document.activeElement.id") == "key"


def test_it_fits_on_a_phone(dashboard: Callable[..., Visit]) -> None:
    seen = dashboard(viewport={"width": 375, "height": 700}, has_touch=True, is_mobile=True)
    seen.wait_until(lambda: seen.page.locator("#rates-chart canvas").count())
    beyond = """() => [...document.querySelectorAll('main *:not(.visually-hidden)')]
        .filter((e) => !e.closest('.scroll, pre, .spark') && e.checkVisibility()
                       && e.getBoundingClientRect().right > innerWidth + 1)
        .map((e) => e.outerHTML.slice(0, 90))"""
    for width in (375, 320):
        seen.page.set_viewport_size({"width": width, "height": 700})
        seen.wait_until(lambda: seen.overflow() <= 0, within=5)
        # Charts follow the width a moment later.
        seen.wait_until(lambda: seen.page.evaluate(beyond) == [], within=5)


def test_it_is_dark_where_that_is_wanted(dashboard: Callable[..., Visit]) -> None:
    seen = dashboard(color_scheme="dark", reduced_motion="reduce")
    lightness = """() => {
        const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g);
        return (+r + +g + +b) / 765;
    }"""
    assert seen.page.evaluate(lightness) < 0.2
    assert seen.violations() == []
    moving = """[...document.querySelectorAll('*')]
        .filter((e) => getComputedStyle(e).transitionDuration !== '0s').length"""
    assert seen.page.evaluate(moving) == 0
    seen.page.click("#theme")
    assert seen.text("#theme") == "Theme: light"
    assert seen.page.evaluate(lightness) > 0.8
    seen.page.reload()
    assert seen.page.evaluate(lightness) > 0.8
    assert seen.text("#theme") == "Theme: light"
