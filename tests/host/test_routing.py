"""Route templates, their precedence and their constraints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devstack.host.errors import IndexingError
from devstack.host.routing import Route, Router


def router(*templates: str) -> Router[str]:
    return Router(Route(template, frozenset(), template) for template in templates)


@pytest.mark.parametrize(
    ("templates", "path", "found", "params"),
    [
        # Text before parameters, wherever they stand.
        (["{a}/x", "a/{b}"], "/a/x", "a/{b}", {"b": "x"}),
        (["a/{b}", "a/b"], "/A/B", "a/b", {}),
        (["{b}", ""], "/", "", {}),
        (["a"], "/a/", "a", {}),
        # Constraints before none, more before fewer.
        (["a/{id}", "a/{id:int}"], "/a/7", "a/{id:int}", {"id": "7"}),
        (["a/{id}", "a/{id:int}"], "/a/b", "a/{id}", {"id": "b"}),
        (["a/{id:int}", "a/{id:int:min(5)}"], "/a/7", "a/{id:int:min(5)}", {"id": "7"}),
        (["a/{id:int}", "a/{id:int:min(5)}"], "/a/4", "a/{id:int}", {"id": "4"}),
        # Longer before shorter, catch-all last.
        (["a/{*rest}", "a/{b}/{c}"], "/a/b/c", "a/{b}/{c}", {"b": "b", "c": "c"}),
        (["a/{*rest}", "a/{b}"], "/a/b/c", "a/{*rest}", {"rest": "b/c"}),
        (["{*rest}", "a/{*rest}"], "/a/b", "a/{*rest}", {"rest": "b"}),
        (["a/{*rest}"], "/a", "a/{*rest}", {}),
        # Optional parameters and defaults.
        (["a/{b?}"], "/a", "a/{b?}", {}),
        (["a/{b:int?}"], "/a/1", "a/{b:int?}", {"b": "1"}),
        (["a/{b=c}"], "/a", "a/{b=c}", {"b": "c"}),
        # Segments of text and parameters.
        (["files/{name}.{kind}"], "/files/a.b.csv", "files/{name}.{kind}", {"name": "a", "kind": "b.csv"}),
        (["v{major:int}"], "/V2", "v{major:int}", {"major": "2"}),
        (
            [r"{day:regex(^\d{{4}}-\d{{2}}$)}"],
            "/2024-05",
            r"{day:regex(^\d{{4}}-\d{{2}}$)}",
            {"day": "2024-05"},
        ),
    ],
)
def test_precedence(templates: list[str], path: str, found: str, params: dict[str, str]) -> None:
    assert router(*templates).match("GET", path) == (found, params)
    assert router(*reversed(templates)).match("GET", path) == (found, params)


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("a/{b}", "/a"),
        ("a/{b}", "/a/b/c"),
        ("a/{b}", "/a//"),
        ("a", "//a"),
        ("a/{b:int}", "/a/b"),
        ("a/{b:int?}", "/a/b"),
        ("a.b", "/axb"),
    ],
)
def test_no_match(template: str, path: str) -> None:
    assert router(template).match("GET", path) is None


@pytest.mark.parametrize(
    ("constraint", "taken", "refused"),
    [
        ("int", ["0", "-7", "2147483647"], ["2147483648", "1.0", "x", "٣"]),
        ("long", ["2147483648"], ["9223372036854775808", "x"]),
        ("bool", ["true", "FALSE"], ["1", "yes"]),
        ("guid", ["6f9619ff-8b86-d011-b42d-00c04fc964ff"], ["6f9619ff"]),
        ("datetime", ["2024-05-05", "2024-05-05T10:00:00"], ["yesterday"]),
        ("decimal", ["1.5", "-2"], ["x"]),
        ("double", ["1.5e3"], ["x"]),
        ("alpha", ["abcXYZ"], ["a1", "ä"]),
        ("length(2)", ["ab"], ["a", "abc"]),
        ("length(2,3)", ["ab", "abc"], ["a", "abcd"]),
        ("minlength(2)", ["ab"], ["a"]),
        ("maxlength(2)", ["ab"], ["abc"]),
        ("min(5)", ["5"], ["4", "x"]),
        ("max(5)", ["5"], ["6"]),
        ("range(2,3)", ["2", "3"], ["1", "4"]),
        ("regex(^a+$)", ["aa", "AA"], ["ab"]),
    ],
)
def test_constraints(constraint: str, taken: list[str], refused: list[str]) -> None:
    routes = router(f"{{value:{constraint}}}")
    assert all(routes.match("GET", f"/{value}") for value in taken)
    assert not any(routes.match("GET", f"/{value}") for value in refused)


@pytest.mark.parametrize("template", ["{*rest}/a", "{a:odd}", "{a", "a}", "{}", "{1a}"])
def test_malformed_templates_are_refused(template: str) -> None:
    with pytest.raises(IndexingError):
        router(template)


def test_methods_choose_among_routes() -> None:
    routes = Router(
        [
            Route("a/{b}", frozenset({"GET"}), "get"),
            Route("a/{b}", frozenset({"PUT"}), "put"),
            Route("a/{*rest}", frozenset({"GET", "DELETE"}), "rest"),
            Route("a/x", frozenset({"POST"}), "post"),
        ]
    )
    methods = ("GET", "PUT", "DELETE", "POST", "PATCH")
    found = {method: (match := routes.match(method, "/a/x")) and match[0] for method in methods}
    assert found == {"GET": "get", "PUT": "put", "DELETE": "rest", "POST": "post", "PATCH": None}


segments = st.text(
    st.characters(exclude_characters="/{}", exclude_categories=("Cs",)), min_size=1, max_size=5
)


@given(st.lists(segments, min_size=1, max_size=4))
def test_a_catch_all_gives_back_what_it_took(parts: list[str]) -> None:
    path = "/".join(parts)
    assert router("{*rest}").match("GET", f"/{path}") == ("{*rest}", {"rest": path})


@given(st.lists(segments, min_size=1, max_size=4))
def test_a_template_of_text_takes_exactly_its_own_path(parts: list[str]) -> None:
    path = "/".join(parts)
    assert router(path).match("GET", f"/{path}") == (path, {})
    assert router(path).match("GET", f"/{path}/more") is None
