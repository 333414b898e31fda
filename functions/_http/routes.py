"""Route templates as the Functions host reads them: `things/{id:int}`, `{*path}`, case ignored."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import unquote

# The constraints that Floe uses, of those that the host knows.
CONSTRAINTS = {
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
    "alpha": r"[A-Za-z]+",
    "guid": r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}",
}
_PARAMETER = re.compile(r"\{(?P<star>\*)?(?P<name>[A-Za-z_]\w*)(?::(?P<constraint>\w+))?\}")
# First segments that the Functions host keeps for itself; deployed, it answers 404 below them in any case.
_RESERVED = ("admin", "runtime")
_STATIC = re.compile(r"[A-Za-z0-9_.~-]+")


def path_of(url: str) -> str:
    """The path of a request's URL, as it was escaped; never fails, whatever a client took for its host."""
    _, scheme, rest = url.partition("://")
    target = rest if scheme else url
    path = target.partition("?")[0].partition("#")[0]
    return "/" + path.partition("/")[2]


@dataclass(frozen=True)
class Route:
    """One template; raises ValueError where it has a form that Floe does not use."""

    template: str

    def __post_init__(self) -> None:
        for segment in self.segments:
            if not _STATIC.fullmatch(segment):
                self._pattern_of(segment)

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The template's parts between slashes."""
        return tuple(self.template.split("/"))

    @cached_property
    def registered(self) -> str:
        """The template that the host is told.

        It refuses one that begins with `admin`, which it keeps for itself, but not a parameter that says so.
        """
        first, slash, rest = self.template.partition("/")
        return f"{{{first}:regex(^{first}$)}}{slash}{rest}" if first in _RESERVED else self.template

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, in order."""
        return tuple(found["name"] for found in _PARAMETER.finditer(self.template))

    @cached_property
    def documented_path(self) -> str:
        """The path as OpenAPI writes it."""
        return "/" + _PARAMETER.sub(lambda found: "{" + found["name"] + "}", self.template)

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        return re.compile("/".join(map(self._pattern_of, self.segments)), re.IGNORECASE)

    def _pattern_of(self, segment: str) -> str:
        if _STATIC.fullmatch(segment):
            return re.escape(segment)
        found = _PARAMETER.fullmatch(segment)
        if found is None:
            raise ValueError(f"route {self.template!r}: {segment!r} is no segment that Floe uses")
        if found["star"]:
            return ".*"
        if found["constraint"] is None:
            return "[^/]+"
        if found["constraint"] not in CONSTRAINTS:
            raise ValueError(f"route {self.template!r}: unknown constraint {found['constraint']!r}")
        return CONSTRAINTS[found["constraint"]]

    def matches(self, path: str) -> bool:
        """Whether a request's path (with or without its leading slash) falls on this route."""
        return self._regex.fullmatch(unquote(path).strip("/")) is not None
