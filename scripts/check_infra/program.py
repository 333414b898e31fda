"""The files of one main file: read, parsed and kept."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path

from scripts.check_infra.findings import BicepError
from scripts.check_infra.parser import parse
from scripts.check_infra.schemas import Schemas, schemas
from scripts.check_infra.syntax import Declaration, File, Module


class Program:
    """Files below `root`, named by their paths in it; `instead` are texts in the place of files."""

    def __init__(self, root: Path, instead: Mapping[str, str] | None = None) -> None:
        self._root = root
        self._instead = dict(instead or {})
        self._files: dict[str, File] = {}
        self.schemas: Schemas = schemas()

    def paths(self) -> list[str]:
        """Every Bicep file, parameter files included."""
        found = {str(path.relative_to(self._root)) for path in self._root.rglob("*.bicep*") if path.is_file()}
        return sorted({*found, *(path for path in self._instead if path.endswith((".bicep", ".bicepparam")))})

    def text(self, path: str) -> str:
        """A file's text; raises BicepError where there is no such file."""
        if path in self._instead:
            return self._instead[path]
        file = self._root / path
        if not file.is_file():
            raise BicepError(path, "there is no such file")
        return file.read_text()

    def file(self, path: str) -> File:
        """A file's tree; raises BicepError."""
        path = posixpath.normpath(path)
        if path not in self._files:
            self._files[path] = parse(path, self.text(path))
        return self._files[path]

    def module(self, file: File, module: Module) -> File:
        """The file that a module of `file` is made from."""
        return self.file(posixpath.join(posixpath.dirname(file.path), module.path))

    @staticmethod
    def declaration(file: File, name: str) -> Declaration | None:
        """What `name` stands for in `file`, outputs apart."""
        for kind in (file.parameters, file.variables, file.resources, file.modules):
            if name in kind:
                return kind[name]
        return None
