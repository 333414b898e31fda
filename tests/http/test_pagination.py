"""Pages of lists: what each form takes, tells and links to."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func
import pytest
from pydantic import Field

from functions._http import CommaList, Described, Reply, Request, operation
from functions._http.catalogue import Catalogue
from functions._http.openapi import document
from functions._http.pagination import (
    INGESTION_HEADERS,
    LINK,
    IngestionPages,
    IngestionQuery,
    NumberedPage,
    NumberedQuery,
    OffsetPage,
    OffsetQuery,
    TasksPage,
    TasksQuery,
    ingestion_headers,
    ingestion_pages,
    numbered_links,
    offset_links,
)
from shared.platform.times import UtcTime
from tests.http.conftest import Answer, call, triggers_of

bp = func.Blueprint()
catalogue = Catalogue()
ITEMS = list(range(25))


class EventsQuery(OffsetQuery):
    since: UtcTime | None = None
    names: CommaList = Field(default_factory=list)


class EventsPage(OffsetPage):
    items: list[int]


class SourcesPage(IngestionPages):
    items: list[int]


class TasksFound(TasksPage):
    items: list[int]


def declare(route: str, query: type, response: type, headers: dict[str, str]) -> Any:
    described = Described("A page", response, headers=headers)
    options = {"query": query, "response": described, "open": True, "catalogue": catalogue}
    return operation(bp, "GET", route, summary="A list", **options)


@declare("api/events", EventsQuery, EventsPage, LINK)
async def analytics(request: Request[EventsQuery]) -> Reply[EventsPage]:
    query = request.query
    found = ITEMS[query.offset :][: query.limit]
    page = EventsPage(items=found, count=len(found), limit=query.limit, offset=query.offset)
    return Reply(200, page, offset_links(request, more=len(found) == query.limit))


@declare("api/v1/sources", IngestionQuery, SourcesPage, INGESTION_HEADERS)
async def ingestion(request: Request[IngestionQuery]) -> Reply[SourcesPage]:
    query = request.query
    found = ITEMS[(query.page - 1) * query.limit :][: query.limit]
    page = SourcesPage(items=found, **ingestion_pages(query, len(ITEMS)).model_dump())
    return Reply(200, page, ingestion_headers(request, len(ITEMS)))


@declare("resources", NumberedQuery, NumberedPage[int], LINK)
async def resources(request: Request[NumberedQuery]) -> Reply[NumberedPage[int]]:
    query = request.query
    found = list(query.of(ITEMS))
    page = NumberedPage[int](items=found, total=len(ITEMS), page=query.page, per_page=query.per_page)
    return Reply(200, page, numbered_links(request, len(ITEMS)))


@declare("tasks", TasksQuery, TasksFound, LINK)
async def tasks(request: Request[TasksQuery]) -> Reply[TasksFound]:
    query = request.query
    found = ITEMS[query.offset :][: query.limit]
    page = TasksFound(items=found, total=len(ITEMS), limit=query.limit, offset=query.offset)
    return Reply(200, page, offset_links(request, more=query.offset + query.limit < len(ITEMS)))


TRIGGERS = triggers_of(bp)
PATHS = {
    "analytics": "/api/events",
    "ingestion": "/api/v1/sources",
    "resources": "/resources",
    "tasks": "/tasks",
}


async def page(form: str, **query: str) -> Answer:
    return await call(TRIGGERS[form], path=PATHS[form], query=query, key=None)


def links(answer: Answer) -> dict[str, dict[str, str]]:
    found = re.findall(r'<([^>]*)>; rel="(\w+)"', answer.headers.get("Link", ""))
    return {relation: dict(parse_qsl(urlsplit(target).query)) for target, relation in found}


@pytest.mark.parametrize(
    ("form", "parameters"),
    [
        ("analytics", {"limit": (1, 100, 1000), "offset": (0, 0, 100_000)}),
        ("ingestion", {"limit": (1, 100, 1000), "page": (1, 1, 1_000_000)}),
        ("resources", {"per_page": (1, 50, 1000), "page": (1, 1, 1_000_000)}),
        ("tasks", {"limit": (1, 50, 100), "offset": (0, 0, 100_000)}),
    ],
)
async def test_ranges_hold_and_are_documented(form: str, parameters: dict[str, tuple[int, int, int]]) -> None:
    declared = document(catalogue)["paths"][PATHS[form]]["get"]["parameters"]
    schemas = {one["name"]: one["schema"] for one in declared}
    for name, (least, default, most) in parameters.items():
        assert schemas[name] == {"type": "integer", "default": default, "minimum": least, "maximum": most}
        for given, status in ((least, 200), (most, 200), (least - 1, 400), (most + 1, 400), ("1,2", 400)):
            answer = await page(form, **{name: str(given)})
            assert answer.status == status, (name, given)
            assert status == 200 or name in answer.body.decode()


async def test_an_offset_list_links_to_its_neighbours() -> None:
    first = await page("analytics", limit="10", since="2025-09-30T12:00:00+02:00", names="a,b", unknown="x")
    filters = {"limit": "10", "since": "2025-09-30T10:00:00Z", "names": "a,b"}
    assert links(first) == {"next": filters | {"offset": "10"}}
    assert links(await page("analytics", limit="10", offset="5")) == {
        "next": {"limit": "10", "offset": "15"},
        "prev": {"limit": "10", "offset": "0"},
    }
    last = await page("analytics", limit="10", offset="20")
    assert (last.json["count"], set(links(last))) == (5, {"prev"})
    assert "Link" not in (await page("analytics", limit="30")).headers
    # What could not be asked for is not linked to.
    assert "next" not in links(await page("tasks", limit="100", offset="99999"))


@pytest.mark.parametrize("form", ["analytics", "tasks"])
async def test_following_an_offset_list_gives_everything_once(form: str) -> None:
    assert await followed(form, limit="10") == ITEMS


@pytest.mark.parametrize(("form", "size"), [("ingestion", "limit"), ("resources", "per_page")])
async def test_following_a_numbered_list_gives_everything_once(form: str, size: str) -> None:
    assert await followed(form, **{size: "10"}) == ITEMS


async def followed(form: str, **query: str) -> list[int]:
    found: list[int] = []
    following: dict[str, str] | None = query
    while following is not None:
        answer = await page(form, **following)
        found += answer.json.get("data", answer.json)["items"]
        following = links(answer).get("next")
    return found


async def test_a_numbered_list_links_to_its_ends() -> None:
    middle = links(await page("resources", page="2", per_page="10"))
    assert {name: target["page"] for name, target in middle.items()} == {
        "first": "1",
        "prev": "1",
        "next": "3",
        "last": "3",
    }
    beyond = links(await page("resources", page="9", per_page="10"))
    assert {name: target["page"] for name, target in beyond.items()} == {
        "first": "1",
        "prev": "3",
        "last": "3",
    }


async def test_ingestion_tells_pages_in_headers() -> None:
    answer = await page("ingestion", page="3", limit="10")
    told = {name: value for name, value in answer.headers.items() if name.startswith("X-Pagination")}
    assert told == {
        "X-Pagination-Page": "3",
        "X-Pagination-Limit": "10",
        "X-Pagination-Total": "25",
        "X-Pagination-Pages": "3",
    }
    documented = document(catalogue)["paths"]["/api/v1/sources"]["get"]["responses"]["200"]["headers"]
    assert {*told, "Link"} <= set(documented)


async def test_links_repeat_nothing_that_could_break_out_of_the_header() -> None:
    answer = await call(
        TRIGGERS["analytics"],
        path='/api/events/">;x\r\nSet-Cookie: a=b',
        query={"names": '>; rel="x"\r\n, é', "limit": "1"},
        key=None,
    )
    assert re.fullmatch(r"<[!-~]+>; rel=\"next\"", answer.headers["Link"])
    assert links(answer)["next"]["names"] == '>; rel="x",é'
