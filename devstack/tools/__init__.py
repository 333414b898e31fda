"""What the local stack runs and does not ship: installed once into `.tools/`, as pinned beside this file."""

from pathlib import Path

PROJECT = Path(__file__).parents[2]
TOOLS = PROJECT / ".tools"
# Where the function app finds what its pages load.
STATIC = PROJECT / "functions/http/static"
