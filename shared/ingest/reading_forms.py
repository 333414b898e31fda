"""Forms that readings come in: which spelling of the names, and which further fields.

A plant's readings are of few forms, so the decoder learns them: a struct made for a form decodes its readings
in one pass, further fields included, three times as fast as taking each apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any, cast

import msgspec

from shared.ingest.json_text import encode
from shared.ingest.reading_json import ASSET, SENSOR, TIME, Reading

# Further fields of one form at most; with more it is learned anew from the reading at hand.
_MOST = 64
_KNOWN = frozenset({"value", "unit", "quality"})
# Names that msgspec does not take for fields.
_UNFIT = frozenset('"\\') | frozenset(map(chr, range(32)))
_FIELDS = [
    (field.name, field.type) if field.required else (field.name, field.type, field.default)
    for field in msgspec.structs.fields(Reading)
]


class Form:
    """Decodes readings whose asset, sensor and time have these names, with further fields of these names or
    without them; refuses (with one of msgspec's errors) all others."""

    def __init__(self, spelling: tuple[str, str, str], further: Iterable[str] = ()) -> None:
        self.spelling = spelling
        self.further = tuple(sorted(further))
        slots = [f"further_{number}" for number in range(len(self.further))]
        names = dict(zip(("asset_id", "sensor_id", "timestamp"), spelling, strict=True))
        self.reading = cast(
            "type[Reading]",
            msgspec.defstruct(
                "ReadingInForm",
                # Said again, for fields that are inherited keep their names.
                [*_FIELDS, *((slot, msgspec.Raw, msgspec.Raw()) for slot in slots)],
                bases=(Reading,),
                gc=False,
                forbid_unknown_fields=True,
                rename=names | dict(zip(slots, self.further, strict=True)),
            ),
        )
        self.decode = msgspec.json.Decoder(self.reading).decode
        packed: type[list[Reading]] = list[self.reading]  # type: ignore[name-defined]
        self.decode_pack = msgspec.json.Decoder(packed).decode
        self._members = [encode(name) + b":" for name in self.further]
        self._template = (
            b"{" + b",".join(member.replace(b"%", b"%%") + b"%b" for member in self._members) + b"}"
        )
        # Two names at least make it give a tuple.
        self._values: Callable[[Reading], tuple[Any, ...]] = attrgetter(*slots, "unit", "unit")

    def attributes(self, reading: Reading) -> bytes | None:
        """The further fields of a reading that this form decoded, as a JSON object sorted by name; None where
        it has none. Whether they are UTF-8 was not checked."""
        values = self._values(reading)[:-2]
        if all(values):
            return self._template % values if values else None
        pairs = zip(self._members, values, strict=True)
        members = [member + bytes(value) for member, value in pairs if value]
        return b"{" + b",".join(members) + b"}" if members else None


class Forms:
    """The forms learned so far; `latest` is that of the reading that was learned from last."""

    def __init__(self) -> None:
        self.latest = Form((ASSET[0], SENSOR[0], TIME[0]))
        self._by_spelling = {self.latest.spelling: self.latest}

    def learn(self, names: frozenset[str]) -> Form:
        """A form for readings with fields of these `names`, where there is one; it becomes the latest."""
        spelling = (_first(ASSET, names), _first(SENSOR, names), _first(TIME, names))
        further = names - _KNOWN - set(spelling)
        known = self._by_spelling.get(spelling)
        if known is None or not further.issubset(known.further):
            if not _can_be_learned(further):
                return self.latest
            both = further if known is None else further.union(known.further)
            known = self._by_spelling[spelling] = Form(spelling, both if len(both) <= _MOST else further)
        self.latest = known
        return known


def _can_be_learned(further: frozenset[str]) -> bool:
    # Where a second name for the time stands among further fields, a reading without the first one would be
    # read wrongly.
    fit = not any(_UNFIT & set(name) for name in further)
    return fit and further.isdisjoint(TIME) and len(further) <= _MOST


def _first(spellings: tuple[str, ...], names: frozenset[str]) -> str:
    return next((name for name in spellings if name in names), spellings[0])
