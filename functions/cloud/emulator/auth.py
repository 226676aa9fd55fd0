"""The gateway in front of the emulated services: it checks tokens and signatures before any service is asked."""

import re
from datetime import datetime, timezone

from functions.cloud.emulator.identity import Identity, same
from functions.cloud.emulator.message import Request
from functions.cloud.emulator.refusal import Refusal, gateway
from functions.cloud.emulator.signature import Claim, is_signed_by, read_claim

ALLOWED_SKEW_S = 15 * 60
"""Seconds a request's date may lie from the gateway's clock."""

_DATE = re.compile(r"[0-9]{8}T[0-9]{6}Z")


def scheme(request: Request) -> str | None:
    """Name what a request authenticates with: `aksk`, `token` or None. A signature wins over a token."""
    if request.header("authorization") is not None:
        return "aksk"
    return "token" if request.header("x-auth-token") is not None else None


def authenticate(request: Request, identity: Identity, now: float) -> frozenset[str]:
    """Return the projects the caller may use: one or none for a token, all of its user's for an access key.

    Raises Refusal 401 in the gateway's shape: APIGW.0301 for a missing, malformed or wrong proof, APIGW.0307 for a
    token that has expired.
    """
    used = scheme(request)
    if used == "aksk":
        return _by_signature(request, identity, now)
    if used == "token":
        return _by_token(request.header("x-auth-token") or "", identity, now)
    raise _unauthenticated("neither X-Auth-Token nor Authorization was sent")


def require_project(projects: frozenset[str], project_id: str) -> None:
    """Raise Refusal 403 unless the path's project is one of the caller's."""
    if project_id not in projects:
        raise gateway(403, "APIGW.0302", f"The caller is not authorized to use project {project_id}")


def _by_token(text: str, identity: Identity, now: float) -> frozenset[str]:
    token = identity.token(text)
    if token is None:
        raise _unauthenticated("decrypt token fail")
    if token.expires_at <= now:
        raise gateway(401, "APIGW.0307", "The token must be updated")
    return frozenset(filter(None, [token.project_id]))


def _by_signature(request: Request, identity: Identity, now: float) -> frozenset[str]:
    claim = read_claim(request.header("authorization") or "")
    if claim is None:
        raise _unauthenticated("the Authorization header is not SDK-HMAC-SHA256 Access=, SignedHeaders=, Signature=")
    _check_signed_headers(claim)
    _check_date(request.header("x-sdk-date") or "", now)
    key = identity.access_key(claim.access)
    if key is None:
        raise _unauthenticated("unknown access key")
    if not same(key.get("security_token", ""), request.header("x-security-token") or ""):
        raise _unauthenticated("the security token does not belong to the access key")
    if not is_signed_by(request, claim, key["secret"]):
        raise _unauthenticated("verify aksk signature fail")
    return frozenset([key["project_id"], *key.get("other_project_ids", [])])


def _check_signed_headers(claim: Claim) -> None:
    missing = {"host", "x-sdk-date"} - set(claim.signed_headers)
    if missing:
        raise _unauthenticated(f"SignedHeaders lacks {', '.join(sorted(missing))}")


def _check_date(date: str, now: float) -> None:
    moment = _timestamp(date)
    if moment is None:
        raise _unauthenticated("X-Sdk-Date is not YYYYMMDDTHHMMSSZ")
    if abs(moment - now) > ALLOWED_SKEW_S:
        raise _unauthenticated("X-Sdk-Date is more than 15 minutes from the gateway's clock")


def _timestamp(date: str) -> float | None:
    if _DATE.fullmatch(date) is None:
        return None
    try:
        return datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:  # Digits in the right places that are no date, as month 13.
        return None


def _unauthenticated(why: str) -> Refusal:
    return gateway(401, "APIGW.0301", f"Incorrect IAM authentication information: {why}")
