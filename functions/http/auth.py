"""Logging in and out, and registering."""

from __future__ import annotations

from typing import Annotated, Literal, Self

import azure.functions as func
from pydantic import AfterValidator, Field, SecretStr, model_validator

from functions._http import ApiModel, Described, Reply, Request, operation
from functions._http.client_address import client_address
from functions.http.users import ADA, NEW_ADA, NewUser, RegisteredUser, register
from shared import runtime
from shared.identity.models import IssuedTokens, Login

bp = func.Blueprint()
TAGS = ["Authentication"]
# Tokens are for who asked, and for nobody's cache.
_HEADERS = {"Cache-Control": "no-store"}


def _present(value: str) -> str:
    if not value.strip():
        raise ValueError("should not be empty")
    return value


class Credentials(ApiModel):
    """A user's name, as `username` or as `email`, and the password."""

    username: Annotated[str, Field(max_length=254), AfterValidator(_present)] | None = None
    email: Annotated[str, Field(max_length=254), AfterValidator(_present)] | None = None
    password: SecretStr = Field(min_length=1, max_length=1024)

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if (self.username is None) == (self.email is None):
            raise ValueError("send either username or email")
        return self


class RefreshRequest(ApiModel):
    """A refresh token, which is good once."""

    refresh_token: SecretStr = Field(min_length=1, max_length=1024)


class Tokens(ApiModel):
    """What opens the API for an hour, and what to get the next ones with."""

    access_token: str = Field(description="A JWT, for `Authorization: Bearer`.")
    refresh_token: str = Field(description="Good once, at `/auth/refresh`, which gives the next one.")
    token_type: Literal["bearer"] = "bearer"  # noqa: S105
    expires_in: int = Field(description="How long the access token is good, in seconds.")


class Message(ApiModel):
    """What was done."""

    message: str


_ISSUED = Described(
    "Tokens",
    Tokens,
    example={
        "access_token": "eyJ…",
        "refresh_token": "flor_…",
        "token_type": "bearer",
        "expires_in": 3600,
    },
)
_EXAMPLES = {
    "by username": {"username": "ada", "password": "correct horse battery"},
    "by email": {"email": "ada@example.com", "password": "correct horse battery"},
}


async def _log_in(request: Request[None, Credentials]) -> Reply[Tokens]:
    given = request.body
    login = Login(
        "email" if given.username is None else "username",
        (given.username or given.email or "").strip(),
        given.password.get_secret_value(),
        client_address(request.headers, runtime.settings().proxy_hops),
    )
    return _tokens(await runtime.identity().login(login))


def _tokens(issued: IssuedTokens) -> Reply[Tokens]:
    tokens = Tokens(
        access_token=issued.access_token,
        refresh_token=issued.refresh_token,
        expires_in=issued.expires_in,
    )
    return Reply(200, tokens, _HEADERS)


@operation(
    bp,
    "POST",
    "auth/login",
    summary="Log in",
    tags=TAGS,
    body=Credentials,
    body_examples=_EXAMPLES,
    response=_ISSUED,
    errors=(401, 429),
    rate="auth",
    open=True,
)
async def log_in(request: Request[None, Credentials]) -> Reply[Tokens]:
    """By `username` or by `email`. After five wrong passwords for a name, further attempts from the same
    address have to wait, longer each time; attempts from elsewhere do not."""
    return await _log_in(request)


@operation(
    bp,
    "POST",
    "api/v1/auth/login",
    summary="Log in, in the envelope",
    tags=TAGS,
    body=Credentials,
    body_examples=_EXAMPLES,
    response=_ISSUED,
    errors=(401, 429),
    rate="auth",
    open=True,
)
async def log_in_enveloped(request: Request[None, Credentials]) -> Reply[Tokens]:
    """As `/auth/login`, with the tokens in `data`."""
    return await _log_in(request)


@operation(
    bp,
    "POST",
    "auth/refresh",
    summary="Get the next tokens",
    tags=TAGS,
    body=RefreshRequest,
    body_examples={"a token": {"refresh_token": "flor_…"}},
    response=_ISSUED,
    errors=(401,),
    rate="auth",
    open=True,
)
async def refresh_tokens(request: Request[None, RefreshRequest]) -> Reply[Tokens]:
    """A refresh token is good once. Using one twice ends all tokens of its login, for two then have it."""
    return _tokens(await runtime.identity().refresh(request.body.refresh_token.get_secret_value()))


@operation(
    bp,
    "POST",
    "auth/logout",
    summary="Log out",
    tags=TAGS,
    response=Described("Logged out", Message, example={"message": "Successfully logged out"}),
    scope="profile:write",
)
async def log_out(request: Request) -> Message:
    """Ends the access token it is called with, and every other token of the same login: at once on the
    instance that answers, within five seconds on every other."""
    await runtime.identity().logout(request.principal)
    return Message(message="Successfully logged out")


@operation(
    bp,
    "POST",
    "auth/register",
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
async def register_account(request: Request[None, NewUser]) -> RegisteredUser:
    """As `/users/register`."""
    return await register(request)
