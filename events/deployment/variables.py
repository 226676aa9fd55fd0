"""Rules for a function's environment: what it needs is there, no secret is, and the code takes the rest."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from events.deployment.template import sub
from events.deployment.tree import Table
from events.settings import EventSettings
from events.triggers.serverless.settings import ServerlessSettings
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings
from functions.registry import names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from events.deployment.deployed import Deployed
    from events.deployment.tree import Mistake


class _Settings(Protocol):
    """What is read from an environment."""

    def from_env(self, environ: Mapping[str, str]) -> object: ...


REQUIRED = ("HUAWEICLOUD_SDK_REGION", "HUAWEICLOUD_SDK_PROJECT_ID", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK")
SECRETS = (
    "HUAWEICLOUD_SDK_AK",
    "HUAWEICLOUD_SDK_SK",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "HUAWEICLOUD_SDK_PASSWORD",
)
_REFERENCE = re.compile(r"\{\{resolve:secretsmanager:[^{}]*(\$\{[A-Za-z0-9]+\}[^{}]*)*\}\}")
_SETTINGS: tuple[_Settings, ...] = (EventSettings, CloudSettings, ServerlessSettings)
_NAME = re.compile(r"\b(?:HONGYAN|HUAWEICLOUD)_[A-Z0-9_]+")


def there(one: Deployed) -> Iterator[Mistake]:
    """Require that it knows whose cloud it acts on, and that this is the real one."""
    for name in REQUIRED:
        spot = one.environment / name
        if spot.value in (None, ""):
            yield spot.wrong(
                "the function does not start without it", "add it: by a parameter, a secret by a dynamic reference"
            )
    spot = one.environment / "HONGYAN_EMULATOR"
    if spot.value not in (None, ""):
        yield spot.wrong("the function would act on an emulated cloud, where nothing is real", "leave it out")


def secret(one: Deployed) -> Iterator[Mistake]:
    """Require that no secret is written into the template or a parameter. The value is not repeated, for it may be one."""
    for name in SECRETS:
        spot = one.environment / name
        text = spot.value if isinstance(spot.value, str) else sub(spot.value) or ""
        if spot.value not in (None, "") and not _REFERENCE.fullmatch(text):
            yield spot.wrong(
                "this is a secret, and only a dynamic reference to Secrets Manager keeps it out of templates and parameters",
                'write !Sub "{{resolve:secretsmanager:${CloudSecret}:SecretString:<key>}}"',
            )


def taken(one: Deployed) -> Iterator[Mistake]:
    """Require that the settings of the code take every value that is known before a deployment."""
    written = one.environment.value if isinstance(one.environment.value, Table) else Table()
    known = {name: one.template.known(value) for name, value in written.items() if name not in SECRETS}
    # Whether there is such an operation is told of by itself.
    known["HONGYAN_OPERATION"] = next(iter(names()), None)
    environ = {name: str(value) for name, value in known.items() if value is not None}
    for told in filter(None, (_refused(settings, environ) for settings in _SETTINGS)):
        found = _NAME.search(told)
        spot = one.environment / found[0] if found else one.environment
        yield spot.wrong(f"the function refuses this when it starts: {told}", "write what it takes")


def _refused(settings: _Settings, environ: Mapping[str, str]) -> str:
    try:
        settings.from_env(environ)
    except ConfigurationError as error:
        return error.message
    return ""
