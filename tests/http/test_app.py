"""The app's own operations: who may call them, what the last route answers, what the document says."""

from __future__ import annotations

from typing import Any

import azure.functions as func
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from functions._http import static_files
from functions._http.catalogue import CATALOGUE
from functions._http.declaration import Access, Operation
from functions._http.messages import Principal
from functions.http import docs
from shared import runtime
from shared.identity.scopes import SCOPES
from tests.http.conftest import Answer, Configure, call

OPERATIONS = list(CATALOGUE)
# Open in every mode: nothing else may be.
PAGES = {"get_docs", "get_docs_file", "get_dashboard", "get_dashboard_file"}
ALWAYS_OPEN = PAGES | {"get_health", "get_info", "get_openapi", "fallback"}
# Open, for they are how credentials are got; registering is closed by a setting.
ENTRANCES = {"log_in", "log_in_enveloped", "refresh_tokens", "register_user", "register_account"}


def by_name(one: Operation) -> str:
    return one.name


async def call_bare(triggers: dict[str, Any], one: Operation, key: str | None = None) -> Answer:
    """A call without parameters or body; whatever comes next, authentication comes first."""
    method = one.methods[0] if one.methods else "DELETE"
    return await call(triggers[one.name], method=method, path=one.route.documented_path, key=key)


@pytest.mark.parametrize("one", OPERATIONS, ids=by_name)
async def test_required_mode_closes_all_but_the_open_operations(
    one: Operation, app_triggers: dict[str, Any]
) -> None:
    assert (one.access is Access.OPEN) == (one.name in ALWAYS_OPEN | ENTRANCES)
    if one.access is Access.OPEN:
        return
    for key in (None, "wrong"):
        answer = await call_bare(app_triggers, one, key)
        assert (answer.status, "WWW-Authenticate" in answer.headers) == (401, True)
        assert answer.headers["X-Request-Id"]


@pytest.mark.parametrize("one", OPERATIONS, ids=by_name)
async def test_local_mode_opens_what_says_so_only(
    one: Operation, app_triggers: dict[str, Any], configure: Configure
) -> None:
    configure(auth="local")
    if one.access is Access.CLOSED:
        assert (await call_bare(app_triggers, one)).status == 401


@pytest.mark.parametrize("mode", ["required", "local"])
@pytest.mark.parametrize("one", OPERATIONS, ids=by_name)
async def test_the_wrong_scope_opens_nothing(
    one: Operation,
    mode: str,
    app_triggers: dict[str, Any],
    configure: Configure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    configure(auth=mode)
    others = frozenset(SCOPES) - {one.scope}

    class Authenticator:
        def remembers(self, digest: bytes) -> bool:
            return True

        async def principal(self, credential: str, digest: bytes) -> Principal:
            return Principal("somebody", others, "free", "somebody", "key")

    monkeypatch.setattr(runtime, "authenticator", Authenticator)
    if one.access is Access.CLOSED or (one.access is Access.OPEN_LOCALLY and mode == "required"):
        answer = await call_bare(app_triggers, one, "a-key-of-somebody")
        assert (answer.status, "WWW-Authenticate" in answer.headers) == (403, False)


@pytest.mark.parametrize("one", OPERATIONS, ids=by_name)
def test_every_closed_operation_asks_for_a_scope_that_exists(one: Operation) -> None:
    assert one.scope in SCOPES or (one.access is Access.OPEN and one.scope is None)


def test_every_function_of_http_is_an_operation(app_triggers: dict[str, Any]) -> None:
    http = {name for name, trigger in app_triggers.items() if trigger.__module__.startswith("functions.http")}
    assert http == {one.name for one in OPERATIONS}


@pytest.mark.parametrize(
    ("method", "path", "status", "allow", "shape"),
    [
        ("POST", "/health", 405, "GET, HEAD", {"detail"}),
        ("DELETE", "/HEALTH/", 405, "GET, HEAD", {"detail"}),
        ("PUT", "/openapi.json", 405, "GET, HEAD", {"error", "request_id"}),
        ("POST", "/docs/start.js", 405, "GET, HEAD", {"error", "request_id"}),
        ("GET", "/", 404, None, {"error", "request_id"}),
        ("GET", "/no/such/thing", 404, None, {"error", "request_id"}),
        ("GET", "/api/nothing", 404, None, {"error", "details"}),
        ("GET", "/api/v1/nothing", 404, None, {"success", "error", "timestamp", "request_id"}),
        ("GET", "/storage/nothing", 404, None, {"detail"}),
        ("GET", "//health", 404, None, {"detail"}),
    ],
)
async def test_the_last_route(
    method: str, path: str, status: int, allow: str | None, shape: set[str], app_triggers: dict[str, Any]
) -> None:
    answer = await call(app_triggers["fallback"], method=method, path=path, key=None)
    assert (answer.status, answer.headers.get("Allow"), set(answer.json)) == (status, allow, shape)
    assert answer.headers["X-Request-Id"].startswith("req_")


@pytest.mark.parametrize("host", ["[", "[::1", "a]b", "\u2100", ""])
async def test_the_last_route_whatever_the_host_is_called(host: str, app_triggers: dict[str, Any]) -> None:
    request = func.HttpRequest("GET", f"http://{host}/api/{'x' * 5000}", body=b"")
    answer = await app_triggers["fallback"](request)
    assert answer.status_code == 404
    assert len(answer.get_body()) < 400


async def test_the_document(app_triggers: dict[str, Any]) -> None:
    answer = await call(app_triggers["get_openapi"], key=None)
    OpenAPIV31SpecValidator(answer.json).validate()
    entries = [entry for path in answer.json["paths"].values() for entry in path.values()]
    documented = {one.name for one in OPERATIONS if one.documented}
    assert {entry["operationId"] for entry in entries} == documented
    assert all(entry["summary"] and entry["tags"] for entry in entries)


@pytest.mark.parametrize("header", ["{}", 'W/{}, "other"', "*"])
async def test_the_document_is_not_sent_twice(header: str, app_triggers: dict[str, Any]) -> None:
    etag = (await call(app_triggers["get_openapi"])).headers["ETag"]
    known = await call(app_triggers["get_openapi"], headers={"If-None-Match": header.format(etag)})
    assert (known.status, known.body, known.headers["ETag"]) == (304, b"", etag)
    assert (await call(app_triggers["get_openapi"], headers={"If-None-Match": '"old"'})).status == 200


@pytest.fixture
def swagger_ui(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path.parent / "secret.js").write_text("secret")
    monkeypatch.setattr(static_files, "FROM_NPM", tmp_path)
    docs.FILES.read.cache_clear()
    yield tmp_path
    docs.FILES.read.cache_clear()


async def test_the_page_loads_nothing_from_elsewhere(swagger_ui: Any, app_triggers: dict[str, Any]) -> None:
    page = await call(app_triggers["get_docs"], key=None)
    assert page.status == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"//" not in page.body
    assert b"<script>" not in page.body


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("swagger-ui.css", "text/css; charset=utf-8"),
        ("swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("start.js", "text/javascript; charset=utf-8"),
        ("favicon-32x32.png", "image/png"),
    ],
)
async def test_the_pages_files(
    name: str, content_type: str, swagger_ui: Any, app_triggers: dict[str, Any]
) -> None:
    answer = await call(app_triggers["get_docs_file"], route={"file": name}, key=None)
    assert (answer.status, answer.headers["content-type"]) == (200, content_type)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "name",
    ["missing.js", "../secret.js", "..%2fsecret.js", "/etc/passwd", "package.json", "a\0.js", "..", ""],
)
async def test_no_other_file_is_served(name: str, swagger_ui: Any, app_triggers: dict[str, Any]) -> None:
    answer = await call(app_triggers["get_docs_file"], route={"file": name}, key=None)
    assert answer.status in (400, 404)
    assert answer.body != b"secret"


async def test_the_page_says_what_to_run_where_swagger_ui_is_missing(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, app_triggers: dict[str, Any]
) -> None:
    monkeypatch.setattr(static_files, "FROM_NPM", tmp_path)
    docs.FILES.read.cache_clear()
    answer = await call(app_triggers["get_docs"], key=None)
    assert answer.status == 404
    assert "make setup" in answer.json["error"]["message"]
