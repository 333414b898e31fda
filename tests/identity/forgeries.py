"""Access tokens that are none: each made of a good one and of the key that signed it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.identity.signing_keys import SigningKey

Forge = Callable[[str, SigningKey], str]


def claims_of(token: str) -> dict[str, Any]:
    """What the token says."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def part(value: Any) -> str:
    """One part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(claims: dict[str, Any], key: SigningKey, **header: Any) -> str:
    """The token that says `claims`, signed by `key`."""
    return jwt.encode(claims, key.private, "EdDSA", headers={"kid": key.id, **header})


def changed(**values: Any) -> Forge:
    """Signed by us, with other claims; None takes one away."""

    def forge(token: str, key: SigningKey) -> str:
        claims = claims_of(token) | values
        return signed({name: value for name, value in claims.items() if value is not None}, key)

    return forge


def unsigned(token: str, key: SigningKey) -> str:
    return jwt.encode(claims_of(token), None, "none", headers={"kid": key.id})


def unsigned_in_other_words(token: str, key: SigningKey) -> str:
    return f"{part({'alg': 'nOnE', 'kid': key.id})}.{part(claims_of(token))}."


def said_to_be_unsigned(token: str, key: SigningKey) -> str:
    _, body, signature = token.split(".")
    return f"{part({'alg': 'none', 'kid': key.id})}.{body}.{signature}"


def signed_with_the_public_key_as_secret(token: str, key: SigningKey) -> str:
    public = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    text = f"{part({'alg': 'HS256', 'kid': key.id})}.{part(claims_of(token))}"
    return f"{text}.{part(hmac.digest(public, text.encode(), hashlib.sha256))}"


def signed_by_another(token: str, key: SigningKey) -> str:
    return jwt.encode(claims_of(token), Ed25519PrivateKey.generate(), "EdDSA", headers={"kid": key.id})


def with_its_own_key(token: str, key: SigningKey) -> str:
    own = Ed25519PrivateKey.generate()
    raw = own.public_key().public_bytes_raw()
    header = {"kid": key.id, "jwk": {"kty": "OKP", "crv": "Ed25519", "x": part(raw)}}
    return jwt.encode(claims_of(token), own, "EdDSA", headers=header)


def of_key(key_id: Any) -> Forge:
    """Signed by us, but naming another key."""

    def forge(token: str, key: SigningKey) -> str:
        header = {"alg": "EdDSA", "typ": "JWT"} | ({} if key_id is None else {"kid": key_id})
        text = f"{part(header)}.{part(claims_of(token))}"
        return f"{text}.{part(key.private.sign(text.encode()))}"

    return forge


def with_critical_extensions(token: str, key: SigningKey) -> str:
    return signed(claims_of(token), key, crit=["b64"], b64=True)


def with_other_scopes_but_the_old_signature(token: str, key: SigningKey) -> str:
    head, _, signature = token.split(".")
    return f"{head}.{part(claims_of(token) | {'scopes': ['*']})}.{signature}"


def cut(token: str, key: SigningKey) -> str:
    return token[:-4]


def issued_tomorrow(token: str, key: SigningKey) -> str:
    claims = claims_of(token)
    return signed(claims | {"iat": claims["iat"] + 86_400, "exp": claims["exp"] + 86_400}, key)


def nested_deeply(token: str, key: SigningKey) -> str:
    return f"{part(b'[' * 2000)}.{part(b'[' * 900)}.x"


FORGERIES: dict[str, Forge] = {
    "alg none": unsigned,
    "alg nOnE": unsigned_in_other_words,
    "alg none with a signature": said_to_be_unsigned,
    "the public key as an HMAC secret": signed_with_the_public_key_as_secret,
    "another's signature": signed_by_another,
    "its own key": with_its_own_key,
    "no kid": of_key(None),
    "kid of another type": of_key(["70"]),
    "kid of nobody": of_key("70-000000000000"),
    "kid of another period": of_key("1-000000000000"),
    "kid that is a path": of_key("../../dev/null"),
    "kid of other digits": of_key("\u0667\u0660-000000000000"),
    "kid without end": of_key("9" * 500),
    "critical extensions": with_critical_extensions,
    "claims changed": with_other_scopes_but_the_old_signature,
    "cut": cut,
    "nested": nested_deeply,
    "another audience": changed(aud="floe:elsewhere"),
    "audience as a list": changed(aud=["floe:test", "floe:elsewhere"]),
    "another issuer": changed(iss="https://login.example.com"),
    "expired": changed(exp=1_700_000_000),
    "expires at a word": changed(exp="tomorrow"),
    "expires beyond time": changed(exp=10**18),
    "issued tomorrow": issued_tomorrow,
    "scopes as a number": changed(scopes=1),
    **{f"without {name}": changed(**{name: None}) for name in ("iss", "aud", "sub", "iat", "exp", "jti")},
    **{f"without {name}": changed(**{name: None}) for name in ("family", "scopes", "plan", "account")},
}
