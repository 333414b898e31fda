"""Times as the API takes and gives them: RFC 3339 in, naive ones are UTC; UTC with `Z` out."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
# A plus sign that was not escaped in a query arrives as a space.
_LOST_PLUS = re.compile(r" (?=\d\d:\d\d$)")


def parse_time(text: str) -> datetime:
    """`text` as an aware time in UTC, to the microsecond; raises ValueError where it is not RFC 3339."""
    written = text.upper()
    if len(written) > 19:
        written = _LOST_PLUS.sub("+", written)
    if not _RFC3339.fullmatch(written):
        raise ValueError("should be an RFC 3339 time such as 2025-09-30T12:00:00Z")
    return in_utc(datetime.fromisoformat(written))


def in_utc(moment: datetime) -> datetime:
    """`moment` in UTC; a naive one is UTC already. Raises ValueError beyond the years 1 to 9999."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("should be a time between the years 1 and 9999") from None


def _parse(value: Any) -> Any:
    if isinstance(value, str):
        return parse_time(value)
    if isinstance(value, datetime):
        return value
    raise ValueError("should be an RFC 3339 time")


# A time in a request or response model; always aware and in UTC once validated.
UtcTime = Annotated[datetime, BeforeValidator(_parse), AfterValidator(in_utc)]
