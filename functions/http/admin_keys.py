"""API keys, for administrators.

The same operations stand at `/admin/keys` and at `/keys`: the Functions host, deployed, keeps `/admin` for
itself.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import azure.functions as func
from pydantic import AfterValidator, Field

from functions._http import ApiModel, Described, Principal, Reply, Request, operation
from functions._http.pagination import LINK, NumberedPage, NumberedQuery, numbered_links
from shared import runtime
from shared.identity.models import ApiKey, NewKey
from shared.identity.scopes import EVERYTHING, SCOPES
from shared.platform.clock import utc_now
from shared.platform.errors import BadRequest, Forbidden
from shared.platform.times import UtcTime

bp = func.Blueprint()
TAGS = ["API keys"]
SCOPE = "admin"


def _known_scope(scope: str) -> str:
    if scope != EVERYTHING and scope not in SCOPES:
        raise ValueError(f"should be one of {', '.join(SCOPES)}, or *")
    return scope


def _printable(text: str) -> str:
    if not text.isprintable() or not text.strip():
        raise ValueError("should be a name without control characters")
    return text.strip()


Scope = Annotated[str, Field(json_schema_extra={"enum": [*SCOPES, EVERYTHING]}), AfterValidator(_known_scope)]


class KeyPath(ApiModel):
    """Which key."""

    id: str = Field(max_length=64)


class KeysQuery(NumberedQuery):
    """Which page of the keys."""

    sort: Literal["created_at", "name", "last_used_at"] = Field("created_at", description="Sort field.")
    filter: str | None = Field(None, max_length=100, description="Only names that contain this.")


class KeyWanted(ApiModel):
    """What the key is to be."""

    name: Annotated[str, Field(max_length=100), AfterValidator(_printable)]
    scopes: list[Scope] = Field(min_length=1, max_length=50)
    plan: Literal["free", "professional", "enterprise"] = "free"
    account: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_.\-]{1,64}$",
        description="Whose things it reads and changes: a user's id, or the account of an older key that it "
        "takes the place of. A new account of its own where it is missing.",
    )
    expires_at: UtcTime | None = Field(None, description="When it ends; never where it is missing.")


class KeyShown(ApiModel):
    """A key, without its secret."""

    id: str
    name: str
    prefix: str = Field(description="How the key begins, to recognise it by.")
    scopes: list[str]
    plan: str
    account: str
    status: Literal["active", "expired", "revoked"]
    created_at: UtcTime
    expires_at: UtcTime | None
    last_used_at: UtcTime | None = Field(description="To the hour.")
    revoked_at: UtcTime | None


class KeyMade(KeyShown):
    """A new key; `key` is shown this once and kept nowhere."""

    key: str


class KeysPage(NumberedPage[KeyShown]):
    """A page of the keys, revoked ones too; `total` counts those on all pages."""


class KeyRevoked(ApiModel):
    """What was done."""

    message: str
    id: str


def _fields(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "prefix": key.prefix,
        "scopes": list(key.scopes),
        "plan": key.plan,
        "account": key.account,
        "status": key.status(utc_now()),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
        "revoked_at": key.revoked_at,
    }


def _place(key: ApiKey, field: str) -> tuple[bool, str, str]:
    """Where a key stands in the order of `field`; those without it come first."""
    value = key.name.lower() if field == "name" else getattr(key, field)
    return value is not None, str(value), key.id


def _check_grant(wanted: KeyWanted, giver: Principal) -> None:
    """Nobody gives away more than they have; raises Forbidden."""
    missing = sorted(scope for scope in set(wanted.scopes) if not giver.may(scope))
    if missing:
        raise Forbidden(f"You do not have what you give: {', '.join(missing)}", details={"scopes": missing})
    if wanted.expires_at is not None and wanted.expires_at <= utc_now():
        raise BadRequest("expires_at: lies in the past", details={"field": "expires_at"})


_AT_ADMIN = "Deployed, the Functions host keeps `/admin` for itself: use `/keys` there."
_SHOWN = {
    "id": "5f2b8c1d9e0a4b7c",
    "name": "greenhouse 4",
    "prefix": "floe_5f2b8c1d9e0a4b7c",
    "scopes": ["events:write"],
    "plan": "professional",
    "account": "greenhouses",
    "status": "active",
    "created_at": "2026-01-01T00:00:00Z",
    "expires_at": None,
    "last_used_at": None,
    "revoked_at": None,
}
_SHOWN_PAGE = {"items": [_SHOWN], "total": 1, "page": 1, "per_page": 50}
_MADE = _SHOWN | {"key": "floe_5f2b8c1d9e0a4b7c_…"}
_REVOKED = {"message": "API key revoked", "id": _SHOWN["id"]}
_EXAMPLES = {"for a device": {"name": "greenhouse 4", "scopes": ["events:write"], "plan": "professional"}}


async def list_keys(request: Request[KeysQuery]) -> Reply[KeysPage]:
    """All keys, revoked ones too."""
    query = request.query
    wanted = (query.filter or "").lower()
    keys = [key for key in await runtime.identity().keys() if wanted in key.name.lower()]
    keys.sort(key=lambda key: _place(key, query.sort), reverse=query.order == "desc")
    items = [KeyShown.model_validate(_fields(key)) for key in query.of(keys)]
    page = KeysPage(items=items, total=len(keys), page=query.page, per_page=query.per_page)
    return Reply(200, page, numbered_links(request, len(keys)))


async def create_key(request: Request[None, KeyWanted]) -> Reply[KeyMade]:
    """The key itself is in this answer and nowhere else. Nobody can give a scope that they do not have."""
    wanted = request.body
    _check_grant(wanted, request.principal)
    new = NewKey(wanted.name, wanted.scopes, wanted.plan, wanted.account, wanted.expires_at)
    made, text = await runtime.identity().create_key(new)
    return Reply(201, KeyMade.model_validate(_fields(made) | {"key": text}), {"Cache-Control": "no-store"})


async def revoke_key(request: Request[None, None, KeyPath]) -> KeyRevoked:
    """At once on the instance that answers, within five seconds on every other."""
    key = await runtime.identity().revoke_key(request.path.id)
    return KeyRevoked(message="API key revoked", id=key.id)


def _register(place: str, infix: str, description: str) -> None:
    """Register the three operations at `place`; `infix` tells their names apart from those elsewhere."""
    shared: dict[str, Any] = {"tags": TAGS, "scope": SCOPE, "description": description}
    operation(
        bp,
        "GET",
        place,
        name=f"list{infix}_keys",
        summary="List API keys",
        query=KeysQuery,
        response=Described("A page of the keys", KeysPage, headers=LINK, example=_SHOWN_PAGE),
        **shared,
    )(list_keys)
    operation(
        bp,
        "POST",
        place,
        name=f"create{infix}_key",
        summary="Make an API key",
        body=KeyWanted,
        body_examples=_EXAMPLES,
        response=Described("The new key", KeyMade, example=_MADE),
        status=201,
        **shared,
    )(create_key)
    operation(
        bp,
        "DELETE",
        f"{place}/{{id}}",
        name=f"revoke{infix}_key",
        summary="Revoke an API key",
        path=KeyPath,
        response=Described("The key that was revoked", KeyRevoked, example=_REVOKED),
        **shared,
    )(revoke_key)


_register("keys", "", "")
_register("admin/keys", "_admin", _AT_ADMIN)
