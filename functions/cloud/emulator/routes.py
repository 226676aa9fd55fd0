"""The route table of the emulated services: a decorator and a listing of their folder; nothing else names them."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import unquote

from functions.cloud.emulator import services
from functions.cloud.emulator.identity import Identity
from functions.cloud.emulator.message import Request, Response
from functions.cloud.emulator.seed import Options


@dataclass(frozen=True)
class Call:
    """A request on its way into a service.

    `path` holds the percent-decoded parameters of the route, `data` what this service holds (free to change: the
    emulator's lock is held), `now` the time in seconds since the epoch.
    """

    request: Request
    path: Mapping[str, str]
    data: Any
    identity: Identity
    options: Options
    now: float


Handler = Callable[[Call], Response]


@dataclass(frozen=True)
class Route:
    """One method on one path, as `/v2/{project_id}/…`; `public` needs no authentication and its body is kept secret."""

    method: str
    template: str
    handler: Handler
    public: bool = False

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The template as an expression over the raw path; a parameter is one segment that is not empty."""
        parts = re.split(r"\{(\w+)\}", self.template)
        literals = (re.escape(part) if index % 2 == 0 else f"(?P<{part}>[^/]+)" for index, part in enumerate(parts))
        return re.compile("".join(literals))


def route(method: str, template: str, *, public: bool = False) -> Callable[[Handler], Route]:
    """Make a function of a service module answer `method` on `template`: `@route("GET", "/v1.0/{project_id}/…")`."""
    return lambda handler: Route(method, template, handler, public)


@dataclass(frozen=True)
class Match:
    """A route whose path fits, the service it belongs to, and the parameters of the path, percent-decoded."""

    service: str
    route: Route
    path: Mapping[str, str]


def match(path: str) -> list[Match]:
    """Return every route, whatever its method, that fits a raw path."""
    fitting = ((service, one, one.pattern.fullmatch(path)) for service, one in all_routes())
    return [
        Match(service, one, {name: unquote(value) for name, value in found.groupdict().items()})
        for service, one, found in fitting
        if found is not None
    ]


@cache
def all_routes() -> tuple[tuple[str, Route], ...]:
    """Import every module of the services folder; return its routes with the module's name, which is the service's."""
    names = sorted(module.name for module in pkgutil.iter_modules(services.__path__))
    modules = ((name, importlib.import_module(f"{services.__name__}.{name}")) for name in names)
    return tuple((name, one) for name, module in modules for one in vars(module).values() if isinstance(one, Route))


def service_names() -> frozenset[str]:
    """Names of the emulated services, as the module names of their folder."""
    return frozenset(service for service, _ in all_routes())
