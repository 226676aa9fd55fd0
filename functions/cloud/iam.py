"""Fetching a project's token from IAM with a user's password, for `functions.cloud.auth`.

Source: IAM API, obtaining a user token through password authentication: POST /v3/auth/tokens, 201, token in `X-Subject-Token`.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from functions.cloud.answers import read
from functions.cloud.errors import CloudRefused, UnreadableAnswer

if TYPE_CHECKING:
    from functions.cloud.answers import Answer
    from functions.cloud.deadline import Deadline
    from functions.cloud.settings import CloudSettings
    from functions.cloud.transport import Transport

# When IAM does not say how long its token lives, it is used for this long only.
_SHORT = timedelta(hours=1)


def fetch_token(
    settings: CloudSettings, transport: Transport, project_id: str, deadline: Deadline
) -> tuple[str, datetime]:
    """Return a token scoped to a project, and when it expires (aware, UTC).

    Raises CloudRefused (wrong password: kind unauthenticated), UnreadableAnswer, NotSent, NoAnswer or OutOfTime. Asking IAM changes
    nothing in the project, so no doubt about the call itself follows from a lost answer.
    """
    base = settings.endpoint("iam")
    body = json.dumps(_question(settings, project_id)).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    answer = transport.send("POST", f"{base}/v3/auth/tokens?nocatalog=true", headers, body, base, deadline)
    try:
        said = read(answer, 201, dict)
    except CloudRefused as error:
        error.message = error.message.replace(settings.password, "***")  # Should IAM ever repeat what it was told.
        raise
    token = answer.headers.get("X-Subject-Token")
    if not token:
        raise UnreadableAnswer(
            "IAM answered 201 without a token in X-Subject-Token", status=201, request_id=answer.request_id
        )
    return token, _expiry(said, answer)


def _question(settings: CloudSettings, project_id: str) -> dict[str, object]:
    user = {"name": settings.username, "password": settings.password, "domain": {"name": settings.domain_name}}
    return {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"id": project_id}},
        }
    }


def _expiry(said: dict[str, object], answer: Answer) -> datetime:
    token = said.get("token")
    text = token.get("expires_at") if isinstance(token, dict) else None
    if text is None:
        return datetime.now(timezone.utc) + _SHORT
    try:
        # 2020-01-04T09:05:22.701000Z
        return datetime.strptime(str(text)[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        raise UnreadableAnswer("IAM's expires_at is not a time", status=201, request_id=answer.request_id) from None
