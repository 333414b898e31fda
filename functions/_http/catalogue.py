"""All operations that are declared, in order: what the OpenAPI document and the 405 answer are made from."""

from __future__ import annotations

from collections.abc import Iterator

from functions._http.declaration import Operation


class Catalogue:
    """A list of operations with unique names."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}

    def add(self, operation: Operation) -> None:
        """Take in one more; raises ValueError where its name, which is the function's, is taken."""
        if operation.name in self._operations:
            raise ValueError(f"two operations are called {operation.name}")
        self._operations[operation.name] = operation

    def __iter__(self) -> Iterator[Operation]:
        return iter(self._operations.values())

    def methods_at(self, path: str) -> list[str]:
        """The methods that operations take at `path`, sorted; those that take every method are left out."""
        return sorted(
            {method for one in self if one.methods and one.route.matches(path) for method in one.methods}
        )


CATALOGUE = Catalogue()
