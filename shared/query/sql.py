"""Values as DataFusion's SQL has them."""

from __future__ import annotations


def moment_literal(count: int) -> str:
    """A time in microseconds since 1970, UTC."""
    # A plain TIMESTAMP literal is read in nanoseconds, which end in the year 2262.
    return f"arrow_cast({count}, 'Timestamp(Microsecond, Some(\"UTC\"))')"


def text_literal(text: str) -> str:
    """Text, whatever it holds: only the quote ends a literal, and two of them stand for one."""
    quoted = text.replace("'", "''")
    return f"'{quoted}'"
