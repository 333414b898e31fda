"""What every module of the product imports, read from its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("functions", "shared")


@dataclass(frozen=True)
class Import:
    """`importer` (a module's dotted name) imports `imported`; `lazily` inside a function."""

    importer: str
    imported: str
    lazily: bool

    def __str__(self) -> str:
        return f"{self.importer} imports {self.imported}"

    def reaches(self, *packages: str) -> bool:
        """Whether the imported module is one of `packages` or below one."""
        return any(self.imported == one or self.imported.startswith(one + ".") for one in packages)

    def comes_from(self, *packages: str) -> bool:
        """Whether the importer is one of `packages` or below one."""
        return any(self.importer == one or self.importer.startswith(one + ".") for one in packages)


def product_files() -> list[Path]:
    """The files that are deployed."""
    return [
        ROOT / "function_app.py",
        *sorted(path for top in PACKAGES for path in (ROOT / top).rglob("*.py")),
    ]


def module_name(path: Path) -> str:
    """`shared/health/service.py` as `shared.health.service`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def tree_of(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(), str(path))


@cache
def product_imports() -> tuple[Import, ...]:
    """Every import of the product, but for those that only the type checker sees."""
    return tuple(
        found for path in product_files() for found in _walk(module_name(path), tree_of(path), False)
    )


def _walk(importer: str, node: ast.AST, lazily: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (Import(importer, alias.name, lazily) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{importer} has a relative import"
            yield from (Import(importer, f"{child.module}.{alias.name}", lazily) for alias in child.names)
        inside = lazily or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from _walk(importer, child, inside)
