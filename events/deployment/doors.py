"""Rules for a function's routes: where it is called over HTTP, and who lets nobody in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.deployment.template import refers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.deployment.deployed import Deployed
    from events.deployment.tree import Mistake, Spot

_NOBODY = (None, "NONE")


def called(one: Deployed) -> Iterator[Mistake]:
    """Require that it is called by POST /functions/<operation>."""
    path = f"/functions/{one.operation}"
    routes = [(event / "Method", event / "Path") for event in one.events("HttpApi")]
    for method, route in routes:
        found = one.template.known(route.value)
        if isinstance(found, str) and found.startswith("/functions/") and found != path:
            yield route.wrong(f"this function runs {one.operation}", f"write Path: {path}")
        elif found == path and str(method.value).upper() != "POST":
            yield method.wrong("an operation is called by POST", "write Method: POST")
    if not any(str(one.template.known(route.value)).startswith("/functions/") for _, route in routes):
        events = one.function / "Events"
        yield events.wrong(f"nothing calls {one.operation} over HTTP", f"add an HttpApi event with POST {path}")


def closed(one: Deployed) -> Iterator[Mistake]:
    """Require that the gateway authenticates whoever comes in, but at the hooks, where the function verifies a signature."""
    for event in one.events("HttpApi"):
        path = one.template.known((event / "Path").value)
        hooks = f"/{one.operation}/hooks/{{sender}}"
        if _authorizer(one, event) not in _NOBODY or path == hooks:
            continue
        yield (event / "Path").wrong(
            f"the gateway lets everybody in here, and signatures are verified at {hooks} only",
            "let the API's Auth have DefaultAuthorizer: AWS_IAM, and take Authorizer: NONE away here",
        )


def _authorizer(one: Deployed, event: Spot) -> object:
    """Return the name of what authenticates an event's callers: its own, else its API's, else that of `Globals`."""
    own = (event / "Auth" / "Authorizer").value
    if own is not None:
        return own
    api = one.template.resource(refers((event / "ApiId").value) or "") / "Properties"
    return (one.template.with_globals(api, "HttpApi") / "Auth" / "DefaultAuthorizer").value
