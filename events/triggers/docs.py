"""The API's document and its page, /openapi.json and /docs, for people with a browser and for whoever generates clients."""

from __future__ import annotations

import importlib.util
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from flask import Response, request
from werkzeug.exceptions import NotFound

from events import strictjson
from events.openapi import openapi
from events.problems import problem

if TYPE_CHECKING:
    from flask import Flask

INSTALL = "pip install 'flask-swagger-ui>=5'"
"""How to get what the page is made of."""

_PACKAGE = "flask_swagger_ui"
# These and nothing else, whatever more the folders hold.
_OURS = ("init.js", "page.css")
_THEIRS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-16x16.png", "favicon-32x32.png")
_TYPES = MappingProxyType({".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".png": "image/png"})
_HEADERS = MappingProxyType(
    {
        # Swagger UI draws icons from data: URLs. No inline script or style, no other host, no frame.
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        # Kept, and asked about each time: a new version of the server is seen at once.
        "Cache-Control": "no-cache",
    }
)


def add_docs(app: Flask, **options: Any) -> None:
    """Serve the document and its page; `options` are those of `events.openapi.openapi`, which is called when first asked for.

    The page needs the `docs` extra and is a problem 501 without it, the document needs nothing.
    """

    @app.get("/openapi.json")
    def show_document() -> Response:
        return _kept(Response(strictjson.dumps(openapi(**options)), mimetype="application/json"))

    @app.get("/docs")
    def show_page() -> Response:
        return _kept(_file("index.html", _ours("index.html"))) if _dist() else _missing()

    @app.get("/docs/assets/<name>")
    def show_asset(name: str) -> Response:
        if name in _OURS:
            return _kept(_file(name, _ours(name)))
        dist = _dist()
        if dist is None:
            return _missing()
        if name not in _THEIRS:
            raise NotFound
        return _kept(_file(name, (dist / name).read_bytes()))


def _dist() -> Path | None:
    """Return the folder of Swagger UI's files, None when they are not installed; nothing of their package is imported."""
    found = importlib.util.find_spec(_PACKAGE)
    dist = Path(found.origin).parent / "dist" if found and found.origin else None
    return dist if dist and all((dist / name).is_file() for name in _THEIRS) else None


def _ours(name: str) -> bytes:
    return resources.files("events.openapi").joinpath("page", name).read_bytes()


def _file(name: str, content: bytes) -> Response:
    return Response(content, mimetype=_TYPES[Path(name).suffix])


def _kept(response: Response) -> Response:
    """Return the response with its headers, without its body for who has it already."""
    response.headers.update(_HEADERS)
    response.add_etag()
    response.make_conditional(request)  # In place.
    return response


def _missing() -> Response:
    answer = problem(
        501, "unimplemented", f"this page needs Swagger UI: {INSTALL}; the document itself is /openapi.json"
    )
    response = Response(answer.body, answer.status, answer.headers)
    response.headers.update(_HEADERS)
    return response
