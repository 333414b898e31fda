"""Floe's version, told by `/health`, `/info` and the OpenAPI document; a test holds it to pyproject.toml."""

VERSION = "0.1.0"
