"""Who may call: users, projects, access keys and the tokens issued, for the emulated IAM and the gateway."""

import copy
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

TOKEN_LIFETIME_S = 24 * 60 * 60
"""Seconds a token lives (IAM, "obtain a user token with a password")."""


@dataclass(frozen=True)
class Token:
    """An issued token: the project it is scoped to, or None, and when it ends, in seconds since the epoch."""

    project_id: str | None
    expires_at: float


class Identity:
    """The `identity` of a seed, and the tokens issued since."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = copy.deepcopy(dict(known))
        self._tokens: dict[str, Token] = {}

    @property
    def domain(self) -> dict[str, Any]:
        """The one account of this cloud: `{"id", "name"}`."""
        domain: dict[str, Any] = self._known["domain"]
        return domain

    def user(self, name: object, password: object, domain: object) -> dict[str, Any] | None:
        """Return the user with this name and password, or None."""
        for user in self._known["users"]:
            known = (user["name"], user["password"], self.domain["name"])
            if all(same(mine, theirs) for mine, theirs in zip(known, (name, password, domain), strict=True)):
                return dict(user)
        return None

    def project(self, field: str, value: object) -> dict[str, Any] | None:
        """Return the project whose `id` or `name` is `value`, or None."""
        return next((dict(project) for project in self._known["projects"] if project[field] == value), None)

    def access_key(self, access: str) -> dict[str, Any] | None:
        """Return the key pair `{"access", "secret", "project_id"[, "other_project_ids", "security_token"]}`, or None."""
        return next((dict(key) for key in self._known["access_keys"] if key["access"] == access), None)

    def issue(self, project_id: str | None, now: float) -> tuple[str, float]:
        """Issue a token; return its text and when it ends."""
        text = "emulator-token-" + secrets.token_hex(32)
        self._tokens[text] = Token(project_id, now + TOKEN_LIFETIME_S)
        return text, self._tokens[text].expires_at

    def token(self, text: str) -> Token | None:
        """Return what was issued under this text, expired or not, or None."""
        return self._tokens.get(text)

    def expire_tokens(self, now: float) -> int:
        """End every token now; return how many there were."""
        self._tokens = {text: replace(token, expires_at=now) for text, token in self._tokens.items()}
        return len(self._tokens)


def same(mine: str, theirs: object) -> bool:
    """Compare a secret without telling by the time it took how much of it was right."""
    return isinstance(theirs, str) and hmac.compare_digest(mine.encode(), theirs.encode("utf-8", "replace"))
