"""Flask's current request as the HTTP doors take it: read as far, and as long, as the settings let it."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from flask import request
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, RequestTimeout

from events.triggers.http import HttpRequest
from events.triggers.receiving import Reaper

if TYPE_CHECKING:
    from events.proxies import Origin
    from events.settings import EventSettings
    from events.triggers.receiving import Watch

log = logging.getLogger("hongyan.events")


class Reading:
    """Reads whatever request this thread has under way; one for an application."""

    def __init__(self, settings: EventSettings) -> None:
        self._proxies = settings.proxies
        self._reaper = Reaper(settings.receive_s)

    def origin(self) -> Origin:
        """Return where the request came from."""
        headers = {name.lower(): value for name, value in request.headers.items()}
        return self._proxies.origin(request.remote_addr or "", request.scheme, headers)

    def head(self) -> HttpRequest:
        """Return the request without its body. Raises BadRequest."""
        origin = self.origin()
        try:
            query = parse_qs(
                request.query_string.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=100
            )
        except ValueError as error:
            raise BadRequest("the query has too many parameters") from error
        return HttpRequest(dict(request.headers), b"", request.method, query, origin.client, origin.https)

    def whole(self) -> HttpRequest:
        """Return the request with its body. Raises as `body`."""
        return HttpRequest(dict(request.headers), self.body())

    def body(self) -> bytes:
        """Return the body's bytes. Raises BadRequest, RequestTimeout, RequestEntityTooLarge."""
        # Both servers show their socket.
        connection = request.environ.get("gunicorn.socket") or request.environ.get("werkzeug.socket")
        with self._reaper.watching(lambda: connection) if connection else nullcontext() as watch:
            try:
                # Not kept by Flask, and read no further than MAX_CONTENT_LENGTH whatever Content-Length says.
                body = request.get_data(cache=False)
            except HTTPException:
                self._in_time(watch)
                raise
            except Exception as error:
                # A chunked body that breaks the rules, a sender that went away: what servers raise then has no common base.
                log.warning("body.unread", extra={"facts": {"error_type": type(error).__name__}})
                self._in_time(watch)
                raise BadRequest("the body could not be read to its end") from error
        self._in_time(watch)
        if request.content_length not in (None, len(body)):
            raise BadRequest("the body is shorter than its Content-Length")
        if len(body) >= (request.max_content_length or 0):
            raise RequestEntityTooLarge
        return body

    def _in_time(self, watch: Watch | None) -> None:
        if watch and watch.expired:
            raise RequestTimeout(f"the body did not arrive within {self._reaper.seconds:g} s")
