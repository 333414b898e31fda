"""Route templates match what the host would route."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.host.routing import Route as HostRoute
from devstack.host.routing import Router
from functions._http.catalogue import CATALOGUE
from functions._http.routes import Route, path_of


@pytest.mark.parametrize(
    ("template", "path", "matches"),
    [
        ("health", "/health", True),
        ("health", "/HEALTH/", True),
        ("health", "/healthy", False),
        ("health", "/health/x", False),
        ("openapi.json", "/openapixjson", False),
        ("tasks/{id}", "/tasks/a%20b", True),
        ("tasks/{id}", "/tasks/", False),
        ("tasks/{id}", "/tasks/1/retry", False),
        ("tasks/{id:int}", "/tasks/12", True),
        ("tasks/{id:int}", "/tasks/x", False),
        ("users/{id:guid}", "/users/01234567-89ab-cdef-0123-456789ABCDEF", True),
        ("users/{id:guid}", "/users/me", False),
        ("{*path}", "/", True),
        ("{*path}", "/a/b/c", True),
    ],
)
def test_matching(template: str, path: str, matches: bool) -> None:
    assert Route(template).matches(path) is matches


def test_the_documented_path_has_no_constraints() -> None:
    assert Route("tasks/{id:int}/retry").documented_path == "/tasks/{id}/retry"
    assert Route("tasks/{id:int}/{*rest}").parameters == ("id", "rest")


TEMPLATES = [
    "tasks",
    "tasks/{id}",
    "tasks/{id:int}",
    "tasks/{id:alpha}/retry",
    "users/{id:guid}",
    "docs/{file}",
]
parts = st.sampled_from(["tasks", "Tasks", "users", "docs", "1", "-7", "abc", "retry", "x.js", "a b"])


@given(st.lists(parts, max_size=4), st.sampled_from(TEMPLATES))
def test_matching_agrees_with_the_local_host(segments: list[str], template: str) -> None:
    path = "/" + "/".join(segments)
    router = Router([HostRoute(template, frozenset({"GET"}), template)])
    assert Route(template).matches(path) == (router.match("GET", path) is not None)


def test_every_operation_is_found_at_its_own_path() -> None:
    import function_app  # noqa: F401

    for one in CATALOGUE:
        filled = one.route.documented_path.replace("{", "").replace("}", "")
        if one.documented and ":" not in one.route.template:
            assert set(one.methods) <= set(CATALOGUE.methods_at(filled))


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://floe.test/a/b?c=/d#/e", "/a/b"),
        ("https://floe.test", "/"),
        ("http://[/a", "/a"),
        ("http://[::1/a?b", "/a"),
        ("http://\u2100.test:99999/a%2Fb", "/a%2Fb"),
        ("/a", "/a"),
        ("", "/"),
        ("http://floe.test//a", "//a"),
    ],
)
def test_the_path_of_any_url(url: str, path: str) -> None:
    assert path_of(url) == path
