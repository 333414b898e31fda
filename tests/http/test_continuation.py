"""Continuation tokens: they go on where a list stopped, and nothing else passes for one."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azure.functions as func
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions._http import Reply, Request, operation
from functions._http.catalogue import Catalogue
from functions._http.continuation import Continuation
from functions._http.pagination import (
    MAX_CONTINUATION,
    ContinuedPage,
    ContinuedQuery,
    continued_links,
)
from shared.platform.errors import BadRequest
from tests.http.conftest import Answer, call, triggers_of


class FilesQuery(ContinuedQuery):
    prefix: str = ""


class Files(ContinuedPage):
    files: list[str]


NAMES = sorted(f"raw/{letter}/{number}.parquet" for letter in "ab" for number in range(7))
FILES = Continuation("files", str)
bp = func.Blueprint()


@operation(
    bp, "GET", "files", summary="Files", query=FilesQuery, response=Files, open=True, catalogue=Catalogue()
)
async def list_files(request: Request[FilesQuery]) -> Reply[Files]:
    query = request.query
    behind = FILES.position(query) or ""
    found = [name for name in NAMES if name.startswith(query.prefix) and name > behind]
    shown = found[: query.limit]
    token = FILES.token(query, shown[-1]) if len(found) > len(shown) else None
    return Reply(
        200, Files(files=shown, count=len(shown), continuation=token), continued_links(request, token)
    )


async def files(**query: str) -> Answer:
    return await call(triggers_of(bp)["list_files"], path="/files", query=query, key=None)


async def test_it_goes_on_to_the_end_in_parts_of_any_size() -> None:
    found: list[str] = []
    answer = await files(limit="1", prefix="raw/a")
    for limit in (2, 3, 1000):
        found += answer.json["files"]
        token = answer.json["continuation"]
        target = answer.headers["Link"].removeprefix("<").partition(">")[0]
        assert dict(parse_qsl(urlsplit(target).query))["continuation"] == token
        answer = await files(limit=str(limit), prefix="raw/a", continuation=token)
    assert found + answer.json["files"] == [name for name in NAMES if name.startswith("raw/a")]
    assert (answer.json["continuation"], "Link" in answer.headers) == (None, False)


async def test_with_other_filters_it_is_refused() -> None:
    token = (await files(limit="1")).json["continuation"]
    answer = await files(continuation=token, prefix="raw/b")
    assert answer.status == 400
    assert answer.json["error"]["details"]["field"] == "continuation"


@pytest.mark.parametrize(
    "token", ["x", "a" * 3001, "AAAA", "%00", "=", "ä", "a b", "a" * (MAX_CONTINUATION + 1)]
)
async def test_what_is_no_token_is_refused(token: str) -> None:
    answer = await files(continuation=token)
    assert (answer.status, "continuation" in answer.json["error"]["message"]) == (400, True)


def refused(continuation: Continuation[Any], token: str) -> bool:
    try:
        continuation.position(FilesQuery(continuation=token))
    except BadRequest:
        return True
    return False


@given(at=st.integers(1, 60), by=st.sampled_from(string.ascii_letters + string.digits + "-_"))
def test_every_changed_character_is_noticed(at: int, by: str) -> None:
    token = FILES.token(FilesQuery(), "raw/a/1.parquet with some length to it")
    changed = token[:at] + by + token[at + 1 :]
    assert refused(FILES, changed) == (changed != token)
    assert refused(FILES, token[:at])


@given(st.text(alphabet=string.ascii_letters + string.digits + "-_", min_size=1, max_size=200))
def test_made_up_tokens_are_refused(token: str) -> None:
    assert refused(FILES, token)


@given(st.tuples(st.datetimes(timezones=st.just(UTC)), st.integers(0, 2**53), st.text()))
def test_positions_come_back_as_they_were(position: tuple[datetime, int, str]) -> None:
    places = Continuation("places", tuple[datetime, int, str])
    token = places.token(FilesQuery(), position)
    assert places.position(FilesQuery(continuation=token, limit=7)) == position
    # Another list's token is none, even where its positions have the same form.
    assert refused(Continuation("others", tuple[datetime, int, str]), token)


def test_the_longest_blob_name_fits_and_more_is_an_error() -> None:
    name = "\N{LATIN SMALL LETTER E WITH ACUTE}" * 1024
    assert FILES.position(FilesQuery(continuation=FILES.token(FilesQuery(), name))) == name
    with pytest.raises(ValueError, match="too long"):
        FILES.token(FilesQuery(), name + name)
