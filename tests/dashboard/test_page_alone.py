"""The dashboard where there is nothing yet, no key, or no server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest

from functions.http.events import NewEvent
from functions.http.simulate import SimulationWanted
from tests.dashboard.alone import Floe, Server
from tests.dashboard.conftest import NewVisit

SUMMARY = "/api/dashboard/summary"


@pytest.fixture
def floe() -> Floe:
    """What the server says."""
    return Floe()


@pytest.fixture
def server(floe: Floe) -> Iterator[Server]:
    """The server that says it."""
    server = Server(floe)
    yield server
    server.stop()


def test_without_events_it_tells_how_to_send_the_first(floe: Floe, server: Server, visit: NewVisit) -> None:
    seen = visit(server.origin, permissions=["clipboard-read", "clipboard-write"])
    seen.page.wait_for_selector("#welcome:not([hidden])")
    assert not seen.page.is_visible("#rates")
    command = seen.text("#welcome-command")
    assert command.startswith(f"curl {server.origin}/api/events ")
    assert "X-API-Key" not in command
    body = re.search(r"-d '(.*)'$", command, re.DOTALL)
    assert body is not None
    NewEvent.model_validate(json.loads(body[1]))
    seen.page.click("#welcome-copy")
    seen.wait_until(lambda: seen.text("#welcome-note") == "Copied.")
    assert seen.page.evaluate("navigator.clipboard.readText()") == command
    assert seen.violations() == []

    seen.page.click("#welcome-simulate")
    seen.wait_until(lambda: seen.text("#welcome-note") == "done as told")
    [(path, wanted)] = floe.posted
    simulation = SimulationWanted.model_validate(wanted)
    assert (path, simulation.num_events) == ("/api/simulate", 5000)
    assert simulation.start_time is not None
    assert simulation.end_time is not None
    assert simulation.end_time - simulation.start_time == timedelta(hours=6)
    floe.counts = 3
    seen.wait_until(lambda: not seen.page.is_visible("#welcome"), each_time=6)
    assert seen.page.is_visible("#rates")


def test_where_simulating_is_not_allowed_it_is_not_offered_again(
    floe: Floe, server: Server, visit: NewVisit
) -> None:
    floe.refused["/api/simulate"] = 403
    seen = visit(server.origin)
    seen.page.click("#welcome-simulate")
    seen.page.wait_for_selector("#welcome-simulation", state="hidden")
    assert seen.text("#welcome-note") == "Not simulated: told to say 403"
    [complaint] = seen.errors
    assert "403" in complaint
    seen.errors.clear()


def test_a_key_is_asked_for_and_kept_in_this_tab_alone(floe: Floe, server: Server, visit: NewVisit) -> None:
    floe.key, floe.counts = "floe_right", 7
    seen = visit(server.origin)
    seen.page.wait_for_selector("#key-dialog[open]")
    assert seen.page.evaluate("document.activeElement.id") == "key-field"
    assert seen.violations() == []
    assert seen.text("#status-text") == "An API key is needed"
    seen.page.keyboard.type("floe_wrong")
    seen.page.keyboard.press("Enter")
    seen.wait_until(lambda: "does not take this key" in seen.text("#key-reason"))
    # One panel tries for all.
    assert [seen.asked(path) for path in ("/api/series", "/api/anomalies")] == [0, 0]
    seen.page.fill("#key-field", "floe_right")
    seen.page.keyboard.press("Enter")
    seen.wait_until(lambda: seen.figure("error", "five-minutes") == 7)
    assert set(floe.keys) == {None, "floe_wrong", "floe_right"}
    assert [one.url for one in seen.requests if "floe_" in one.url] == []
    kept = "[sessionStorage.getItem('floe-api-key'), localStorage.length]"
    assert seen.page.evaluate(kept) == ["floe_right", 0]
    assert "X-API-Key: YOUR_KEY" in seen.text("#welcome-command")
    assert "floe_right" not in seen.page.content()
    # The next page of this tab has it, and forgets it when told to.
    seen.page.reload()
    seen.wait_until(lambda: seen.figure("error", "five-minutes") == 7)
    seen.page.click("#key")
    seen.page.click("#key-forget")
    seen.page.wait_for_selector("#key-dialog[open]")
    assert seen.page.evaluate("sessionStorage.length") == 0
    assert all("401" in complaint for complaint in seen.errors)
    seen.errors.clear()


def test_it_says_that_the_server_is_gone_and_goes_on_by_itself(
    floe: Floe, server: Server, visit: NewVisit
) -> None:
    floe.counts = 5
    seen = visit(server.origin)
    seen.wait_until(lambda: seen.figure("error", "five-minutes") == 5)
    server.stop()
    seen.wait_until(lambda: seen.page.is_visible("#banner"), each_time=6)
    assert "does not answer" in seen.text("#banner")
    assert seen.figure("error", "five-minutes") == 5
    floe.counts = 6
    server.start()
    seen.wait_until(lambda: seen.figure("error", "five-minutes") == 6, each_time=6)
    seen.wait_until(lambda: not seen.page.is_visible("#banner"), each_time=6)
    assert all("ERR_" in complaint for complaint in seen.errors)
    seen.errors.clear()


def test_a_panel_whose_figures_are_refused_says_so_and_the_others_go_on(
    floe: Floe, server: Server, visit: NewVisit
) -> None:
    floe.counts = 4
    floe.refused = {"/api/series": 404, "/api/anomalies": 403, "/api/dashboard/pipeline": 503, "/health": 500}
    seen = visit(server.origin)
    notes = {
        "series": "Not available on this server.",
        "anomalies": "Not allowed: told to say 403",
        "pipeline": "Not available just now: told to say 503",
        "operations": "Not available just now: told to say 503",
    }
    seen.wait_until(lambda: {name: seen.text(f"#{name} > .note") for name in notes} == notes)
    assert seen.text("#health") == "Health is not known"
    assert seen.figure("error", "hour") == 4
    assert seen.text("#status-text").startswith("Live")
    seen.errors.clear()


def test_it_rests_while_paused_or_hidden(floe: Floe, server: Server, visit: NewVisit) -> None:
    floe.counts = 4
    seen = visit(server.origin)
    seen.wait_until(lambda: seen.figure("error", "five-minutes") == 4)
    hide = "hidden => Object.defineProperty(document, 'hidden', { get: () => hidden, configurable: true })"
    for rest, go_on in (
        (lambda: seen.page.click("#pause"), lambda: seen.page.click("#pause")),
        (lambda: seen.page.evaluate(hide, True), lambda: seen.page.evaluate(hide, False)),
    ):
        rest()
        seen.page.wait_for_load_state("networkidle")
        before, shown, floe.counts = seen.asked(SUMMARY), floe.counts, floe.counts + 1
        seen.later(60)
        assert (seen.asked(SUMMARY), seen.figure("error", "five-minutes")) == (before, shown)
        go_on()
        seen.wait_until(lambda: seen.figure("error", "five-minutes") == floe.counts, each_time=1)
    assert seen.text("#status-text").startswith("Live")


def test_what_did_not_change_is_not_sent_again(floe: Floe, server: Server, visit: NewVisit) -> None:
    floe.counts = 4
    seen = visit(server.origin)
    seen.wait_until(lambda: seen.figure("error", "five-minutes") == 4)
    assert floe.unchanged == 0
    seen.wait_until(lambda: floe.unchanged >= 2, each_time=6)
    assert seen.figure("error", "five-minutes") == 4
    floe.counts = 5
    seen.wait_until(lambda: seen.figure("error", "five-minutes") == 5, each_time=6)


def test_figures_that_nothing_renews_are_called_stale(floe: Floe, server: Server, visit: NewVisit) -> None:
    floe.counts = 4
    seen = visit(server.origin)
    seen.wait_until(lambda: seen.figure("error", "five-minutes") == 4)
    floe.refused = dict.fromkeys([SUMMARY, "/api/aggregations", "/api/metrics/realtime", "/api/series"], 503)
    floe.refused |= dict.fromkeys(["/api/anomalies", "/api/dashboard/pipeline"], 503)
    seen.wait_until(lambda: seen.text("#status-text").startswith("Stale"), each_time=16)
    assert seen.figure("error", "five-minutes") == 4
    floe.refused = {}
    seen.wait_until(lambda: seen.text("#status-text").startswith("Live"), each_time=16)
    seen.errors.clear()


def test_many_regions_are_all_asked_for_and_the_small_ones_shown_together(
    floe: Floe, server: Server, visit: NewVisit
) -> None:
    """Forty regions in each of sixty minutes take three answers."""
    floe.counts, floe.regions = 1, 40
    seen = visit(server.origin)
    seen.wait_until(lambda: seen.figure("error", "hour") == 1)
    seen.page.locator("#rates summary").click()
    seen.page.select_option("#rates-range", "1")
    seen.page.select_option("#rates-split", "transaction")
    rows = seen.page.locator("#rates-table tbody tr")
    # Five by name, and what the others have together; in the oldest minute as in all that are over.
    seen.wait_until(lambda: rows.last.locator("td").all_text_contents() == ["1"] * 5 + ["35"])
    assert 58 <= rows.count() <= 60
    assert seen.page.locator("#rates-legend button").all_text_contents()[-1] == "further"
    seen.page.get_by_role("button", name="further").click()
    assert "further" not in (seen.page.get_attribute("#rates-chart", "aria-label") or "further")
