"""Makes an API key straight in storage: the first one of a deployment, which no other key can make.

    python -m scripts.create_key --name operations --scopes '*' --storage-account floedata
    python -m scripts.create_key --name sensor --scopes events:write --stack .floe

It needs what the app itself has: the right to write to the account's tables. On Azure the login is that of
`az login`, with the role Storage Table Data Contributor. The key is printed once and kept nowhere.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from shared.adapters.connection import StorageAccount, account_of, account_on_azure
from shared.adapters.table_storage import TableStorage
from shared.identity.keys import ApiKeys
from shared.identity.models import NewKey
from shared.identity.revocations import Revocations
from shared.identity.scopes import EVERYTHING, SCOPES
from shared.platform.clock import utc_now
from shared.platform.errors import FloeError

_PLANS = ("free", "professional", "enterprise")


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.create_key", description="Make an API key straight in storage."
    )
    parser.add_argument("--name", required=True, help="what the key is for")
    parser.add_argument(
        "--scopes",
        required=True,
        help=f"comma-separated: {EVERYTHING} for all of {', '.join(SCOPES)}",
    )
    parser.add_argument("--plan", choices=_PLANS, default="enterprise", help="default: %(default)s")
    parser.add_argument("--account", help="whose things it reads and changes; a new account by default")
    parser.add_argument("--days", type=int, help="how long it is good; for ever by default")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--storage-account", help="the data account; FLOE_STORAGE_ACCOUNT by default")
    place.add_argument("--stack", type=Path, help="the folder of a local stack that runs, such as .floe")
    return parser.parse_args(given)


def _storage(arguments: argparse.Namespace) -> StorageAccount:
    if arguments.stack is not None:
        described = json.loads((arguments.stack / "stack.json").read_text())
        return account_of(described["storage_connection_string"])
    name = arguments.storage_account or os.environ.get("FLOE_STORAGE_ACCOUNT")
    if name:
        return account_on_azure(name)
    text = os.environ.get("FLOE_STORAGE_CONNECTION_STRING")
    if not text:
        raise SystemExit("say where: --storage-account, or --stack for a local stack")
    return account_of(text)


def _wanted(arguments: argparse.Namespace) -> NewKey:
    scopes = [scope.strip() for scope in arguments.scopes.split(",") if scope.strip()]
    unknown = [scope for scope in scopes if scope != EVERYTHING and scope not in SCOPES]
    if unknown or not scopes:
        raise SystemExit(f"unknown scopes: {', '.join(unknown) or 'none given'}")
    if arguments.days is not None and arguments.days < 1:
        raise SystemExit("--days is at least 1")
    expires = None if arguments.days is None else utc_now() + timedelta(days=arguments.days)
    return NewKey(arguments.name, scopes, arguments.plan, arguments.account, expires)


def main(given: Sequence[str] | None = None) -> int:
    """The exit code; the key alone goes to standard output."""
    arguments = _arguments(given)
    wanted = _wanted(arguments)
    tables = TableStorage(_storage(arguments))
    try:
        made, text = ApiKeys(tables, Revocations(lambda: tables, utc_now), utc_now).create(wanted)
    except FloeError as error:
        print(f"no key was made: {error}", file=sys.stderr)
        return 1
    print(f"key {made.id} of the account {made.account}, shown this once:", file=sys.stderr)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
