"""Which media type a client prefers."""

from __future__ import annotations

import pytest

from functions._http.accept import preferred

JSON, OPEN, TEXT = OFFERED = ("application/json", "application/openmetrics-text", "text/plain")
PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.75,application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=0.0.4;q=0.25,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, JSON),
        ("", JSON),
        ("*/*", JSON),
        (BROWSER, JSON),
        ("application/json", JSON),
        ("application/*", JSON),
        ("text/plain", TEXT),
        ("Text/Plain", TEXT),
        ("text/*", TEXT),
        ("text/plain;version=0.0.4", TEXT),
        ("text/plain, application/json", JSON),
        ("text/plain, application/json;q=0.9", TEXT),
        ("application/json;q=0.2, text/plain;q=0.3", TEXT),
        ("text/*;q=0.5, */*;q=0.6", JSON),
        ("*/*, application/json;q=0", OPEN),
        ("*/*, application/*;q=0", TEXT),
        ("application/openmetrics-text; version=1.0.0", OPEN),
        (PROMETHEUS_2, OPEN),
        (PROMETHEUS_3, OPEN),
        ("text/plain;version=0.0.4;q=1,*/*;q=0.1", TEXT),
        ("image/png", None),
        ("*/*;q=0", None),
        ("text/plain;q=much, application/json;q=0.1", JSON),
        ("nonsense", JSON),
    ],
)
def test_the_heaviest_type_is_chosen(accept: str | None, chosen: str | None) -> None:
    assert preferred(accept, OFFERED) == chosen
