"""Checking of SDK-HMAC-SHA256 signatures over the bytes that arrived, for the emulator's gateway.

Written from the algorithm's description alone and only to verify, so that it shares nothing with a client's signer.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from functions.cloud.emulator.message import Request

ALGORITHM = "SDK-HMAC-SHA256"
UNSIGNED = "UNSIGNED-PAYLOAD"

_AUTHORIZATION = re.compile(rf"{ALGORITHM} +Access=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]{{64}})\s*")


@dataclass(frozen=True)
class Claim:
    """What an Authorization header claims: the access key, the signed header names in its order, the signature."""

    access: str
    signed_headers: tuple[str, ...]
    signature: str


def read_claim(authorization: str) -> Claim | None:
    """Read `SDK-HMAC-SHA256 Access=…, SignedHeaders=a;b, Signature=<64 hex>`; None when it is anything else."""
    found = _AUTHORIZATION.fullmatch(authorization)
    if found is None:
        return None
    access, names, signature = found.groups()
    return Claim(access, tuple(names.split(";")), signature)


def is_signed_by(request: Request, claim: Claim, secret: str) -> bool:
    """Tell whether `secret` made the claimed signature of this request; every signed header must be there."""
    if any(request.header(name) is None for name in claim.signed_headers):
        return False
    expected = hmac.new(secret.encode(), string_to_sign(request, claim.signed_headers), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, claim.signature)


def string_to_sign(request: Request, signed_headers: tuple[str, ...]) -> bytes:
    """Build the three lines that are signed: algorithm, date of the request, digest of the canonical request."""
    digest = hashlib.sha256(canonical_request(request, signed_headers)).hexdigest()
    return f"{ALGORITHM}\n{request.header('x-sdk-date')}\n{digest}".encode("latin-1", "replace")


def canonical_request(request: Request, signed_headers: tuple[str, ...]) -> bytes:
    """Build the six parts: method, path, query, headers (each with a line end), header names, digest of the body."""
    headers = "".join(f"{name}:{(request.header(name) or '').strip()}\n" for name in signed_headers)
    head = "\n".join([request.method.upper(), canonical_path(request.path), canonical_query(request.query), headers])
    tail = f"\n{';'.join(signed_headers)}\n{_payload(request)}"
    # Header text stands for the bytes of the wire, so it goes back to those bytes before it is digested.
    return (head + tail).encode("latin-1", "replace")


def canonical_path(path: str) -> str:
    """Decode the whole path, encode each segment again, and end with a slash (the wire's path need not)."""
    encoded = "/".join(quote(segment, safe="") for segment in unquote(path).split("/"))
    return encoded if encoded.endswith("/") else encoded + "/"


def canonical_query(pairs: list[tuple[str, str]]) -> str:
    """Sort by name, then value, and encode with %20 for a space."""
    return "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in sorted(pairs))


def _payload(request: Request) -> str:
    # An empty body is always digested: the signer has nothing to leave unsigned.
    if request.body and request.header("x-sdk-content-sha256") == UNSIGNED:
        return UNSIGNED
    return hashlib.sha256(request.body).hexdigest()
