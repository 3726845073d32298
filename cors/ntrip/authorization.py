"""Credentials in an Authorization header: Basic (RFC 7617) and Digest (RFC 7616), parsed, checked and challenged.

Basic is read as home-made encoders write it: any letter case of the scheme, base64 padding missing, UTF-8 or Latin-1;
the user ends at the first colon, the password may hold more. Digest: MD5 and SHA-256, qop "auth" or none. What cannot
be read is None: the answer is 401, never an error. Values never appear in `repr`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field

MAX_VALUE = 2048
MAX_NAME = 128
MAX_PASSWORD = 256

DIGEST_ALGORITHMS = ("SHA-256", "MD5")
"""Offered in this order, strongest first."""

_PARAMETER = re.compile(r'\s*([A-Za-z*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|\Z)')


@dataclass(frozen=True, slots=True)
class BasicCredentials:
    """A user and a password in clear."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DigestCredentials:
    """A user's answer to a challenge."""

    user: str
    realm: str
    nonce: str
    uri: str
    response: str = field(repr=False)
    algorithm: str = "MD5"
    qop: str = ""
    nonce_count: str = ""
    client_nonce: str = ""


Credentials = BasicCredentials | DigestCredentials


def parse_authorization(value: str) -> Credentials | None:
    """Credentials of a header's value; None where there are none that can be read."""
    scheme, _, rest = value.strip().partition(" ")
    if len(value) > MAX_VALUE:
        return None
    if scheme.lower() == "basic":
        return _parse_basic(rest.strip())
    return _parse_digest(rest) if scheme.lower() == "digest" else None


def decode_text(raw: bytes) -> str:
    """UTF-8, else Latin-1."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _parse_basic(token: str) -> BasicCredentials | None:
    token = token.rstrip("=")
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    user, colon, password = decode_text(raw).partition(":")
    if not colon or len(user) > MAX_NAME or len(password) > MAX_PASSWORD:
        return None
    return BasicCredentials(user, password)


def _parse_digest(text: str) -> DigestCredentials | None:
    values: dict[str, str] = {}
    position = 0
    while position < len(text.rstrip()):
        match = _PARAMETER.match(text, position)
        if match is None or match.group(1).lower() in values:
            return None
        quoted, plain = match.group(2), match.group(3)
        values[match.group(1).lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
        position = match.end()
    if not {"username", "realm", "nonce", "uri", "response"} <= values.keys() or len(values["username"]) > MAX_NAME:
        return None
    return DigestCredentials(
        values["username"], values["realm"], values["nonce"], values["uri"], values["response"],
        algorithm=values.get("algorithm", "MD5").upper(), qop=values.get("qop", ""),
        nonce_count=values.get("nc", ""), client_nonce=values.get("cnonce", ""),
    )  # fmt: skip


def _hash(algorithm: str, *parts: str) -> str:
    data = ":".join(parts).encode("utf-8")
    return (hashlib.sha256(data) if algorithm == "SHA-256" else hashlib.md5(data, usedforsecurity=False)).hexdigest()


def digest_secret(algorithm: str, user: str, realm: str, password: str) -> str:
    """HA1 of RFC 7616 3.4.2: what a server keeps to check digests, as good as the password within its realm."""
    return _hash(algorithm, user, realm, password)


def digest_response(secret: str, credentials: DigestCredentials, method: str) -> str:
    """The response that the owner of `secret` (HA1) would have sent for this challenge (RFC 7616 3.4.1)."""
    request = _hash(credentials.algorithm, method, credentials.uri)
    if not credentials.qop:
        return _hash(credentials.algorithm, secret, credentials.nonce, request)
    return _hash(
        credentials.algorithm, secret, credentials.nonce, credentials.nonce_count, credentials.client_nonce,
        credentials.qop, request,
    )  # fmt: skip


def check_digest(secret: str, credentials: DigestCredentials, method: str) -> bool:
    """True when the response is right; compared in constant time."""
    if credentials.algorithm not in DIGEST_ALGORITHMS or credentials.qop not in ("", "auth"):
        return False
    expected = digest_response(secret, credentials, method)
    return hmac.compare_digest(expected.encode(), credentials.response.lower().encode("utf-8", "replace"))


def basic_challenge(realm: str) -> str:
    """A WWW-Authenticate value."""
    return f'Basic realm="{_quotable(realm)}"'


def digest_challenge(realm: str, nonce: str, algorithm: str, stale: bool = False) -> str:
    """A WWW-Authenticate value; `stale`: the old nonce is the only thing wrong."""
    extra = ", stale=true" if stale else ""
    return f'Digest realm="{_quotable(realm)}", qop="auth", algorithm={algorithm}, nonce="{nonce}"{extra}'


def _quotable(text: str) -> str:
    return re.sub(r'["\\\x00-\x1f\x7f-\uffff]', "_", text)
