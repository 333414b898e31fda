"""Pages of lists: the form of each reference, and Floe's own by continuation.

| form | parameters | told in the answer |
| --- | --- | --- |
| analytics (002) | `limit`, `offset` | `count`, `limit`, `offset` |
| ingestion (001) | `page`, `limit` | `X-Pagination-*` headers, and `pagination` where the reference has it |
| resources (003) | `page`, `per_page`, `order` | `total`, `page`, `per_page` |
| tasks (004) | `limit`, `offset` | `total`, `limit`, `offset` |
| Floe's own | `limit`, `continuation` | `count`, `continuation` |

A list's query model is a subclass of its form's, which adds the filters; its response model a subclass of
the form's page. Whatever the form, `Link` (RFC 8288) leads to the pages beside it. Numbers outside their
range are refused, never clamped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from pydantic import Field

from functions._http.messages import Request
from functions._http.parameters import ApiModel, WholeNumber
from functions._http.routes import path_of

# Where a form documents no most: READINGS of the references, told in docs/http.md.
MAX_ITEMS = 1000
MAX_OFFSET = 100_000
MAX_PAGE = 1_000_000
# The real host takes queries of 4,096 bytes. A blob's name of 1,024 characters still fits.
MAX_CONTINUATION = 3072

Limit = Annotated[WholeNumber, Field(ge=1, le=MAX_ITEMS, description="How many items at most.")]
Offset = Annotated[WholeNumber, Field(ge=0, le=MAX_OFFSET, description="How many items to leave out first.")]
PageNumber = Annotated[WholeNumber, Field(ge=1, le=MAX_PAGE, description="Page number.")]

# What operations add to the headers that they document.
LINK = {"Link": "RFC 8288: where the pages beside this one are, by `rel`."}
INGESTION_HEADERS = LINK | {
    "X-Pagination-Page": "Page number.",
    "X-Pagination-Limit": "Items per page.",
    "X-Pagination-Total": "Items on all pages.",
    "X-Pagination-Pages": "Number of pages.",
}


class LimitQuery(ApiModel):
    """Lists of 002 that have one page; a subclass may have another default."""

    limit: Limit = 100


class OffsetQuery(LimitQuery):
    """Which part of a list of 002."""

    offset: Offset = 0


class OffsetPage(ApiModel):
    """Part of a list of 002; `count` is the number in this answer."""

    count: int
    limit: int
    offset: int


class IngestionQuery(LimitQuery):
    """Which page of a list of 001."""

    page: PageNumber = 1


class IngestionPages(ApiModel):
    """Which page of a list of 001 it is, of how many."""

    page: int
    limit: int
    total: int
    pages: int


class NumberedQuery(ApiModel):
    """Which page of a list of 003; the fields to sort by are the list's own."""

    page: PageNumber = 1
    per_page: Annotated[WholeNumber, Field(ge=1, le=MAX_ITEMS, description="Items per page.")] = 50
    order: Literal["asc", "desc"] = "asc"

    def of[T](self, items: Sequence[T]) -> Sequence[T]:
        """The page's part of all `items`."""
        start = (self.page - 1) * self.per_page
        return items[start : start + self.per_page]


class NumberedPage[T](ApiModel):
    """A page of a list of 003; `total` counts the items on all pages."""

    items: list[T]
    total: int
    page: int
    per_page: int


class TasksQuery(ApiModel):
    """Which part of a list of 004."""

    limit: Annotated[WholeNumber, Field(ge=1, le=100, description="How many items at most.")] = 50
    offset: Offset = 0


class TasksPage(ApiModel):
    """Part of a list of 004; `total` counts the items of the whole list."""

    total: int
    limit: int
    offset: int


class ContinuedQuery(LimitQuery):
    """Which part of a list of Floe's own: it begins where an earlier answer's `continuation` says."""

    continuation: str | None = Field(
        None,
        max_length=MAX_CONTINUATION,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="The `continuation` of the answer before, with the same filters; without, the start.",
    )


class ContinuedPage(ApiModel):
    """Part of a list of Floe's own; `count` is the number in this answer."""

    count: int
    continuation: str | None = Field(description="What to ask the next part with; null at the end.")


def offset_links(request: Request[Any, Any, Any], *, more: bool) -> dict[str, str]:
    """`Link` of a list by offset; `more` says whether something may follow."""
    query = request.query
    following, before = query.offset + query.limit, max(0, query.offset - query.limit)
    return _links(
        request,
        next={"offset": following} if more and following <= MAX_OFFSET else None,
        prev={"offset": before} if query.offset else None,
    )


def numbered_links(request: Request[Any, Any, Any], total: int) -> dict[str, str]:
    """`Link` of a list of `total` items by page number."""
    page, last = request.query.page, min(_pages(total, _size(request.query)), MAX_PAGE)
    return _links(
        request,
        first={"page": 1},
        prev={"page": min(page - 1, last)} if page > 1 else None,
        next={"page": page + 1} if page < last else None,
        last={"page": last},
    )


def ingestion_headers(request: Request[Any, Any, Any], total: int) -> dict[str, str]:
    """`X-Pagination-*` and `Link` of a list of 001 with `total` items."""
    told = ingestion_pages(request.query, total)
    return numbered_links(request, total) | {
        f"X-Pagination-{name.title()}": str(value) for name, value in told.model_dump().items()
    }


def ingestion_pages(query: IngestionQuery, total: int) -> IngestionPages:
    """001's `pagination` of a list of `total` items."""
    return IngestionPages(page=query.page, limit=query.limit, total=total, pages=_pages(total, query.limit))


def continued_links(request: Request[Any, Any, Any], continuation: str | None) -> dict[str, str]:
    """`Link` of a list that `continuation` continues."""
    return _links(request, next={"continuation": continuation} if continuation else None)


def _size(query: Any) -> int:
    return int(query.per_page if isinstance(query, NumberedQuery) else query.limit)


def _pages(total: int, size: int) -> int:
    return max(1, -(-total // size))


def _links(request: Request[Any, Any, Any], **moves: Mapping[str, object] | None) -> dict[str, str]:
    """`Link` from relations to the parameters that change; only parameters that the list knows are repeated.

    The targets have no origin: which one clients see is not for the app to know.
    """
    path = quote(path_of(request.url), safe="/%!$&'()*+,;=:@~")
    given = request.query.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    targets = [
        f'<{path}?{urlencode({name: _text(value) for name, value in (given | move).items()})}>; rel="{name}"'
        for name, move in ((relation, move) for relation, move in moves.items() if move is not None)
    ]
    return {"Link": ", ".join(targets)} if targets else {}


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
