"""What FunctionGraph's context tells: who is invoked and until when, the function's own variables, and the keys of its agency.

Source of the getters' names: FunctionGraph developer guide, context. One that is missing, or gives None or "", tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.triggers.serverless.invocation import Invocation, remaining_s
from functions.cloud.auth import AkSk, GivenToken
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import is_key

if TYPE_CHECKING:
    from functions.cloud.auth import Credentials

_PROJECT = "HUAWEICLOUD_SDK_PROJECT_ID"
_USER_DATA = "RUNTIME_USERDATA"
# Temporary ones first: the page calls the others no longer maintained.
_SECURITY = ("getSecurityAccessKey", "getSecuritySecretKey", "getSecurityToken")
_KEYS = ("getAccessKey", "getSecretKey")
_TOKEN = "getToken"  # noqa: S105 - a getter's name


class Environment(Mapping[str, str]):
    """The process's environment, and for what is not set there the function's user data; the project is known to the context anyway.

    User data are the variables that were set for the function. Whether they are in the process's environment as well is not documented;
    what is read from there alone (proxies, the log level) must be. Source: FunctionGraph user guide, environment variables: all of them are
    in `RUNTIME_USERDATA`, each is told by `getUserData`.
    """

    def __init__(self, environ: Mapping[str, str], context: Any) -> None:
        self._environ = {**_user_data(environ.get(_USER_DATA, "")), **environ}
        self._context = context

    def __getitem__(self, name: str) -> str:
        found = self._environ.get(name) or told(self._context, "getUserData", name)
        if not found and name == _PROJECT:
            found = told(self._context, "getProjectID")
        return found or self._environ[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def invoked(context: Any, margin_s: float) -> Invocation:
    """Return the invocation that a context tells of.

    The function is named without its version: an event that is repeated after an update keeps its id.
    """
    names = [told(context, getter) for getter in ("getPackage", "getFunctionName")]
    function = "/".join(("", *filter(None, names))) if names[1] else None
    left = remaining_s(context, "getRemainingTimeInMilliSeconds")
    return Invocation.of(told(context, "getRequestID"), function, left, margin_s)


def credentials(context: Any) -> Credentials:
    """Return the credentials of the function's agency: temporary keys, else keys, else a token.

    Raises ConfigurationError that says what to do when there are none, or such as cannot be; it never shows one.
    """
    if security := _all(context, _SECURITY):
        return AkSk(security[0], security[1], security[2])
    if keys := _all(context, _KEYS):
        return AkSk(keys[0], keys[1])
    if token := _all(context, (_TOKEN,)):
        return GivenToken(token[0])
    raise ConfigurationError(
        "the function has no credentials: give it an agency that may use the services it calls,"
        " or set HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK"
    )


def told(context: Any, getter: str, *arguments: str) -> str:
    """Return the text that a getter of the context gives, "" when it gives none."""
    method = getattr(context, getter, None)
    value = method(*arguments) if callable(method) else None
    return value if isinstance(value, str) else ""


def _user_data(written: str) -> dict[str, str]:
    try:
        found = strictjson.loads(written)
    except strictjson.NotJSON:
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def _all(context: Any, getters: tuple[str, ...]) -> list[str]:
    """Return what all of these getters give, [] when one gives nothing. Raises ConfigurationError."""
    values = [told(context, getter).strip() for getter in getters]
    for getter, value in zip(getters, values, strict=True):
        if not is_key(value):
            raise ConfigurationError(f"what the context's {getter}() gives holds a character that no key has")
    return values if all(values) else []
