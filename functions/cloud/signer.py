"""SDK-HMAC-SHA256, the AK/SK signature of Huawei Cloud's gateways, for `functions.cloud.auth`.

Source: the API request signing guide and the official SDK's signer; the two published vectors are in the tests.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ALGORITHM = "SDK-HMAC-SHA256"


def signature(
    secret_key: str, method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str], body: bytes
) -> str:
    """Return the hex signature of a request.

    `path` may be percent-encoded or not; `query` holds decoded pairs; `headers` are exactly those to sign, with lower-case names, and must
    hold `x-sdk-date`. The key is the secret key itself: no derivation, no region or service scope.
    """
    request = canonical_request(method, path, query, headers, body)
    to_sign = f"{ALGORITHM}\n{headers['x-sdk-date']}\n{hashlib.sha256(request.encode()).hexdigest()}"
    return hmac.digest(secret_key.encode(), to_sign.encode(), "sha256").hex()


def authorization(access_key: str, signed: Iterable[str], hex_signature: str) -> str:
    """Return the `Authorization` header's value for a signature over the headers named in `signed`."""
    return f"{ALGORITHM} Access={access_key}, SignedHeaders={';'.join(sorted(signed))}, Signature={hex_signature}"


def canonical_request(
    method: str, path: str, query: Iterable[tuple[str, str]], headers: Mapping[str, str], body: bytes
) -> str:
    """Return the six lines that are hashed and signed; the path ends with `/` here, though not on the wire."""
    uri = "/".join(map(encode, unquote(path).split("/")))
    names = sorted(headers)
    return "\n".join(
        (
            method.upper(),
            uri if uri.endswith("/") else uri + "/",
            canonical_query(query),
            *(f"{name}:{headers[name].strip()}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(body).hexdigest(),
        )
    )


def canonical_query(query: Iterable[tuple[str, str]]) -> str:
    """Return the query as it is signed, and as we send it: sorted by decoded key, then value."""
    return "&".join(f"{encode(key)}={encode(value)}" for key, value in sorted(query))


def encode(text: str) -> str:
    """Percent-encode everything but RFC 3986's unreserved characters, as UTF-8."""
    return quote(text, safe="~")
