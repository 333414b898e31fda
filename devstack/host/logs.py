"""The host's log: one line an entry on stderr, with function and invocation where there is one."""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

from azure_functions_runtime import invocation_id_cv  # type: ignore[import-untyped]  # ships no types


class OneLine(logging.Formatter):
    """`time level function[invocation] message`; line breaks are written as `\\n`."""

    def __init__(self, functions: Mapping[str, str]) -> None:
        """`functions` gives the function of each running invocation."""
        super().__init__()
        self._functions = functions

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        text = super().format(record).replace("\n", "\\n")
        return f"{when[:-6]}Z {record.levelname.lower():7} {self._origin(record)} {text}"

    def _origin(self, record: logging.LogRecord) -> str:
        invocation = invocation_id_cv.get()
        if invocation is None:
            return record.name.rsplit(".", 1)[-1]
        return f"{self._functions.get(invocation, 'function')}[{invocation}]"


def set_up_logging(functions: Mapping[str, str]) -> None:
    """Send everything that host and app log to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(functions))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # Azure's clients log every request, and the worker library every invocation, at INFO.
    logging.getLogger("azure").setLevel(logging.WARNING)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
