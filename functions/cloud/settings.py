"""What the client must know, read once at start from the environment: whose account, which region, how patient."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.cloud.endpoints import check_region, checked, endpoint, is_loopback
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

# 32 hexadecimal characters in real life, 36 to 64 on one API page: both are taken.
PROJECT_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_SDK = "HUAWEICLOUD_SDK_"
LOCAL = "local"


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """Settings of the client; secrets never show in its repr.

    Times are seconds. `emulator` is "" for the real cloud, `local` for the emulator in this process, else the emulator's base URL.
    `temporary_keys`: there are no keys here, since the platform hands them over with each invocation (`Client.use`).
    """

    region: str = ""
    project_id: str = ""
    allowed_projects: frozenset[str] = frozenset()
    access_key: str = ""
    secret_key: str = field(default="", repr=False)
    security_token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    domain_name: str = ""
    emulator: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_timeout_s: float = 3.05
    attempts: int = 4
    pool_size: int = 32
    temporary_keys: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> CloudSettings:
        """Read the settings (names of the official SDK where it has one).

        Raises ConfigurationError that names the variable for a value that cannot be; what is missing is told by `missing()`.
        """
        env = os.environ if environ is None else environ
        emulator = _emulator(env)
        account = _emulated_account() if emulator else _account(env)
        projects = frozenset(filter(None, re.split(r"[\s,]+", env.get("HONGYAN_ALLOWED_PROJECTS", ""))))
        _check_projects(account["PROJECT_ID"], projects)
        known: dict[str, Any] = {_ACCOUNT[name]: value for name, value in account.items()}
        return cls(
            **known,
            allowed_projects=projects,
            emulator=emulator,
            overrides={name: value for name, value in env.items() if name.startswith(_SDK)},
            attempts=_number(env, "HONGYAN_ATTEMPTS", 4, 1, 10),
            pool_size=_number(env, "HONGYAN_POOL_SIZE", 32, 1, 1024),
        )

    def missing(self) -> list[str]:
        """Return the names of the variables that are still needed, [] when the settings are complete."""
        names = [f"{_SDK}{name}" for name in ("PROJECT_ID", "REGION") if not getattr(self, _ACCOUNT[name])]
        if self.temporary_keys:
            return names
        by_password = self.username and not self.access_key
        needed = ["USERNAME", "PASSWORD", "DOMAIN_NAME"] if by_password else ["AK", "SK"]
        return names + [f"{_SDK}{name}" for name in needed if not getattr(self, _ACCOUNT[name])]

    def require(self) -> CloudSettings:
        """Return these settings when they are complete, else raise ConfigurationError that names each missing variable."""
        if names := self.missing():
            raise ConfigurationError(
                "missing settings: "
                + ", ".join(names)
                + "; set them, or HONGYAN_EMULATOR=local to try without an account"
            )
        return self

    def names_credentials(self) -> bool:
        """Whether any part of an account's credentials was set, be it all of them or not."""
        return any((self.access_key, self.secret_key, self.security_token, self.username, self.password))

    def endpoint(self, service: str) -> str:
        """Return the base URL of a service."""
        if self.emulator:
            return "http://emulator.invalid" if self.emulator == LOCAL else self.emulator
        return endpoint(service, self.region, self.overrides)

    def may_use(self, project_id: str) -> bool:
        """Whether a payload may name this project."""
        return project_id == self.project_id or project_id in self.allowed_projects


def is_key(text: str) -> bool:
    """Tell whether a text can be a key or a token: what goes into a header as it is, without blanks or control characters."""
    return text.isascii() and text.isprintable() and " " not in text


_IN_HEADERS = ("AK", "SK", "SECURITY_TOKEN")
_ACCOUNT = {
    "AK": "access_key",
    "SK": "secret_key",
    "SECURITY_TOKEN": "security_token",
    "USERNAME": "username",
    "PASSWORD": "password",
    "DOMAIN_NAME": "domain_name",
    "PROJECT_ID": "project_id",
    "REGION": "region",
}


def _emulator(env: Mapping[str, str]) -> str:
    chosen = env.get("HONGYAN_EMULATOR", "").strip()
    if chosen in ("", LOCAL):
        return chosen
    if not is_loopback(checked("HONGYAN_EMULATOR", chosen)):
        raise ConfigurationError("HONGYAN_EMULATOR must be `local` or a loopback URL like http://127.0.0.1:9000")
    return chosen.rstrip("/")


def _account(env: Mapping[str, str]) -> dict[str, str]:
    # A password may end in a space; nothing else does, and a key that was pasted with one is a common mistake.
    account = {name: env.get(_SDK + name, "") for name in _ACCOUNT}
    account.update({name: value.strip() for name, value in account.items() if name != "PASSWORD"})
    for name in _IN_HEADERS:
        if not is_key(account[name]):
            raise ConfigurationError(
                f"{_SDK}{name} holds a blank or a character that no key has: was it cut or wrapped?"
            )
    check_region(account["REGION"], env)
    return account


def _emulated_account() -> dict[str, str]:
    # Real keys are never sent to an emulator: it has its own, obviously fake ones.
    from functions.cloud.emulator.credentials import fake_credentials

    fake = fake_credentials()
    return {"AK": fake.access_key, "SK": fake.secret_key, "PROJECT_ID": fake.project_id, "REGION": fake.region}


def _check_projects(own: str, allowed: frozenset[str]) -> None:
    for name, values in ((_SDK + "PROJECT_ID", {own} - {""}), ("HONGYAN_ALLOWED_PROJECTS", allowed)):
        if not all(PROJECT_ID.fullmatch(value) for value in values):
            raise ConfigurationError(f"{name} must hold project ids: 1 to 64 letters, digits and hyphens each")


def _number(env: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = env.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise ConfigurationError(f"{name} must be a whole number from {least} to {most}")
    return int(text)
