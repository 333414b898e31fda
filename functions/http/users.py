"""Users: registering, and one's own profile."""

from __future__ import annotations

from typing import Annotated

import azure.functions as func
from pydantic import AfterValidator, Field, SecretStr

from functions._http import ApiModel, Described, Request, operation
from functions._http.auth import authenticate
from functions._http.declaration import Access
from shared import runtime
from shared.identity.models import User
from shared.identity.names import USERNAME_FORM, valid_email
from shared.platform.errors import NotFound
from shared.platform.times import UtcTime

bp = func.Blueprint()
TAGS = ["Users"]
# What examples show.
NEW_ADA = {
    "ada": {
        "username": "ada",
        "password": "correct horse battery",
        "email": "ada@example.com",
        "full_name": "Ada Lovelace",
    }
}
ADA = {
    "id": "8b1f6c6e0f0d4f6c9a51c3a7d2e4b590",
    "username": "ada",
    "email": "ada@example.com",
    "full_name": "Ada Lovelace",
    "is_active": True,
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("should have no control characters")
    return text.strip()


FullName = Annotated[str, Field(max_length=200), AfterValidator(_printable)]
Email = Annotated[
    str, Field(max_length=254, json_schema_extra={"format": "email"}), AfterValidator(valid_email)
]


class NewUser(ApiModel):
    """Who wants to be a user. Username and email are each one user's alone; case plays no part."""

    username: str = Field(pattern=USERNAME_FORM)
    password: SecretStr = Field(min_length=8, max_length=256)
    email: Email
    full_name: FullName = ""


class ProfileChange(ApiModel):
    """What to change; what is missing stays."""

    full_name: FullName | None = None
    email: Email | None = None


class RegisteredUser(ApiModel):
    """A user."""

    id: str
    username: str
    email: str
    full_name: str
    is_active: bool
    created_at: UtcTime
    updated_at: UtcTime


def shown(user: User) -> RegisteredUser:
    """What a user may see of themselves."""
    return RegisteredUser(
        id=user.id,
        username=user.username,
        email=user.email,
        full_name=user.full_name,
        is_active=user.is_active,
        created_at=user.created_at,
        updated_at=user.updated_at,
    )


async def register(request: Request[None, NewUser]) -> RegisteredUser:
    """Registers; where registration is closed, for an administrator only."""
    settings = runtime.settings()
    if settings.registration == "closed":
        await authenticate(request.headers, Access.CLOSED, "admin", settings)
    new = request.body
    user = await runtime.identity().register(
        new.username, new.email, new.full_name, new.password.get_secret_value()
    )
    return shown(user)


def _own_id(request: Request[None, ProfileChange] | Request) -> str:
    if request.principal.kind == "local" or not request.principal.account:
        raise NotFound("These credentials belong to no user")
    return request.principal.account


@operation(
    bp,
    "POST",
    "users/register",
    summary="Register a user",
    tags=TAGS,
    body=NewUser,
    body_examples=NEW_ADA,
    response=Described("The new user", RegisteredUser, example=ADA),
    status=201,
    errors=(401, 403, 409),
    rate="auth",
    open=True,
)
async def register_user(request: Request[None, NewUser]) -> RegisteredUser:
    """The new user is of the free plan and may read and change what is theirs. Open to everyone where
    `FLOE_REGISTRATION=open`; else it needs the scope `admin`."""
    return await register(request)


@operation(
    bp,
    "GET",
    "users/me",
    summary="One's own profile",
    tags=TAGS,
    response=Described("The user", RegisteredUser, example=ADA),
    errors=(404,),
    scope="profile:read",
)
async def get_me(request: Request) -> RegisteredUser:
    """The user that the access token, or the account of the API key, belongs to."""
    return shown(await runtime.identity().user(_own_id(request)))


@operation(
    bp,
    "PUT",
    "users/me",
    summary="Change one's own profile",
    tags=TAGS,
    body=ProfileChange,
    body_examples={"a name": {"full_name": "Ada King"}},
    response=Described("The user", RegisteredUser, example=ADA),
    errors=(404, 409),
    scope="profile:write",
)
async def change_me(request: Request[None, ProfileChange]) -> RegisteredUser:
    """`full_name` and `email` can change, the username cannot."""
    change = request.body
    user = await runtime.identity().change_user(
        _own_id(request), full_name=change.full_name, email=change.email
    )
    return shown(user)
