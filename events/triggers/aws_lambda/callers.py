"""Who a gateway of AWS has proved the caller of a request to be, for the doors that take unsigned requests.

Whoever sends a request writes its headers, query and body; what stands in `requestContext` the gateway alone writes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from events.calls import is_name
from events.triggers.serverless.shapes import items, mapping, text

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMELESS = "an authorizer's"
_AUTHORIZER = "requestContext.authorizer"


def first(context: Mapping[str, Any], identity: Mapping[str, Any]) -> str | None:
    """Return the caller of a request in payload format 1.0, None when nobody proved it. Raises EventRefused.

    An authorizer or IAM proves one; an API key (`identity.apiKey`) proves nobody, and neither does a guest of Cognito.
    """
    authorizer = mapping(context, "authorizer", "requestContext")
    user = text(identity, "userArn", "requestContext.identity")
    if user and identity.get("cognitoAuthenticationType") != "unauthenticated":
        return _named(_role(user))
    # Without an authorizer, HTTP APIs send {"claims": null, "scopes": null}.
    if not _tells(authorizer):
        return None
    return _named(_subject(mapping(authorizer, "claims", _AUTHORIZER)) or authorizer.get("principalId"))


def second(context: Mapping[str, Any]) -> str | None:
    """Return the caller of a request in payload format 2.0, None when nobody proved it. Raises EventRefused.

    A Lambda authorizer that gives no context leaves null behind, which is not taken for a proof: HONGYAN_GATEWAY_AUTHENTICATES is for that.
    """
    authorizer = mapping(context, "authorizer", "requestContext")
    iam, jwt, own = (mapping(authorizer, each, _AUTHORIZER) for each in ("iam", "jwt", "lambda"))
    cognito = mapping(iam, "cognitoIdentity", f"{_AUTHORIZER}.iam")
    guest = "unauthenticated" in items(cognito, "amr", f"{_AUTHORIZER}.iam.cognitoIdentity")
    claims = mapping(jwt, "claims", f"{_AUTHORIZER}.jwt")
    if _tells(iam) and not guest:
        return _named(_role(text(iam, "userArn", f"{_AUTHORIZER}.iam")))
    if _tells(claims):
        return _named(_subject(claims))
    return _named(own.get("principalId")) if _tells(own) else None


def _tells(found: Mapping[str, Any]) -> bool:
    return any(value not in (None, "", {}, []) for value in found.values())


def _subject(claims: Mapping[str, Any]) -> str | None:
    """Return the subject of a token, which is unique with its issuer only (RFC 7519, section 4.1.2)."""
    told = [claims.get(each) for each in ("iss", "sub")]
    return " ".join(each for each in told if isinstance(each, str)) if isinstance(told[1], str) else None


def _role(arn: str) -> str:
    """Return an ARN without the session of an assumed role: a retry may come from another one."""
    return arn.rpartition("/")[0] if ":assumed-role/" in arn and arn.count("/") > 1 else arn


def _named(value: Any) -> str:
    """Return a caller as it can stand in a result event."""
    if not isinstance(value, str) or not value:
        return _NAMELESS
    return value if is_name(value) else hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
