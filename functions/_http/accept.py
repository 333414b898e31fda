"""Which of several media types a client prefers (RFC 9110, 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple


class _Range(NamedTuple):
    """One entry of `Accept`: `*/*`, `type/*` or `type/subtype`, and its weight."""

    kind: str
    weight: float

    def specificity(self, offered: str) -> int:
        """How closely it names `offered`; 0 where it does not."""
        if self.kind == offered:
            return 3
        if self.kind == offered.partition("/")[0] + "/*":
            return 2
        return 1 if self.kind == "*/*" else 0


def preferred(accept: str | None, offered: Sequence[str]) -> str | None:
    """That of `offered` (`type/subtype`, the server's favourite first) which `accept` weighs most.

    The first where `accept` is missing or empty, None where it refuses all. Parameters of media types, such
    as versions, are left out of account, and so is an entry whose weight is no number.
    """
    ranges = list(_ranges(accept or ""))
    if not ranges:
        return offered[0]
    weights = [_weight(ranges, kind) for kind in offered]
    best = max(weights)
    return offered[weights.index(best)] if best > 0 else None


def _weight(ranges: Sequence[_Range], offered: str) -> float:
    """By the entries that name `offered` most closely; of several, which differ in parameters, the best."""
    closest = max(one.specificity(offered) for one in ranges)
    if closest == 0:
        return 0.0
    return max(one.weight for one in ranges if one.specificity(offered) == closest)


def _ranges(accept: str) -> Iterator[_Range]:
    for entry in accept.split(","):
        kind, *parameters = (part.strip().lower() for part in entry.split(";"))
        if "/" not in kind:
            continue
        weights = [text[2:] for text in parameters if text.startswith("q=")]
        try:
            weight = float(weights[0]) if weights else 1.0
        except ValueError:
            continue
        if 0 <= weight <= 1:
            yield _Range(kind, weight)
