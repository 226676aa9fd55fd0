"""What goes in and out of the emulator: a request and an answer as on the wire, for its core and its doors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote

Ending = Literal["complete", "drop", "truncate"]


@dataclass(frozen=True)
class Request:
    """One HTTP request as it arrived.

    `target` is the raw path with its query, still percent-encoded. Header names are kept in lower case; header values
    are text whose characters are the bytes of the wire (ISO 8859-1), as WSGI and http.client have it.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        object.__setattr__(self, "headers", {name.lower(): value for name, value in self.headers.items()})

    def header(self, name: str) -> str | None:
        """Return the value of a header, whatever the case of `name`, or None."""
        return self.headers.get(name.lower())

    @property
    def path(self) -> str:
        """The raw path, percent-encoded, without the query."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> list[tuple[str, str]]:
        """The percent-decoded pairs of the query, in their order; a `+` is a plus sign (RFC 3986, not a form)."""
        parts = (part.partition("=") for part in self.target.partition("?")[2].split("&") if part)
        return [(unquote(name), unquote(value)) for name, _, value in parts]


@dataclass(frozen=True)
class Response:
    """One answer; `ending` tells the door how the connection ends.

    `complete`: as HTTP wants it; `drop`: nothing is sent; `truncate`: half of what Content-Length tells is sent.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    ending: Ending = "complete"

    @property
    def sent(self) -> bytes:
        """The part of the body that reaches the client."""
        return self.body[: len(self.body) // 2] if self.ending == "truncate" else self.body


def json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Make an answer of a JSON value, in UTF-8 and unescaped, as the service answers."""
    # A lone surrogate, which JSON can escape but UTF-8 cannot carry, becomes "?" rather than an exception.
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    return Response(status, {"Content-Type": "application/json", **(headers or {})}, body)
