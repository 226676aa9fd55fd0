"""Result events posted to a receiver's URL, signed where a secret is set, every try within one time: the http sink."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]

import requests
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from events.cloudevents import InvalidEvent, UnsupportedFormat
from events.cloudevents.http import to_binary, to_structured
from events.sinks import SinkGone, SinkRefused, SinkUnavailable
from functions.cloud.answers import retry_after
from functions.cloud.deadline import Deadline
from functions.cloud.endpoints import is_loopback
from functions.cloud.errors import ConfigurationError
from functions.cloud.sockets import DeadlineAdapter, exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from events.cloudevents import CloudEvent
    from events.sinks.signing import Signer

Mode = Literal["structured", "binary"]
"""How an event is carried: as one JSON object, or as data with its attributes in headers."""
MOST_WAIT_S = 3600.0
"""The longest wait that a receiver can ask for, in seconds."""

_CONNECT_S = 5.0
# So much of an answer's body is read, in bytes, that the connection can be used again; nothing in it matters.
_MOST_ANSWER = 4096
_WRITERS = {"structured": to_structured, "binary": to_binary}
# What the receiver will say of this very event whenever it is asked; any other refusal is of whoever asks, or of the moment.
_REFUSED = {
    400: "it calls it malformed",
    413: "it is too large",
    415: "it does not read this format",
    422: "it does not take what it says",
}
_HINTS = {
    401: "check the secret, or the user and password in its URL",
    403: "check the secret, or the user and password in its URL",
    404: "check the path of its URL",
    405: "check the path of its URL",
    429: "it wants fewer events",
}


class Http:
    """Posts each event to one URL, once; whoever calls repeats what was not taken. Shared between threads.

    Proxies (`HTTPS_PROXY`, `NO_PROXY`, ...) and the certificate authorities (`REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE`, else certifi's)
    are read once, here. Redirects are not followed. `shown` is the receiver for people and logs: no user, no path, no query, since any of
    them may be a secret.
    """

    def __init__(
        self,
        url: str,
        environ: Mapping[str, str],
        *,
        mode: Mode = "structured",
        signer: Signer | None = None,
        timeout_s: float = 10.0,
        threads: int = 32,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Make the sink. `timeout_s` bounds a whole try but the look-up of a name; `threads`: connections that are kept.

        A user and a password in the URL are sent as `Authorization: Basic`. Raises ConfigurationError.
        """
        try:
            self._blank = requests.Request("POST", url, headers={"User-Agent": "Hongyan"}).prepare()
        except (requests.RequestException, ValueError):
            raise ConfigurationError(
                "a sink's URL is not one that events can be posted to: https://host/path"
            ) from None
        parts = urlsplit(str(self._blank.url))
        where = parts.netloc.rpartition("@")[2]
        self.shown = f"{parts.scheme}://{where}"
        self._writer, self._signer, self._timeout_s, self._now = _WRITERS[mode], signer, timeout_s, now
        self._verify: bool | str = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or True
        if isinstance(self._verify, str) and not Path(self._verify).exists():
            raise ConfigurationError("REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) names a file that does not exist")
        proxies = getproxies()
        self._proxies = {} if is_loopback(self.shown) or proxy_bypass_environment(where, proxies) else proxies
        self._adapter = DeadlineAdapter(pool_connections=2, pool_maxsize=threads, max_retries=0)

    def emit(self, event: CloudEvent) -> None:
        """As the contract says. Taken is what is answered with 2xx; 410 is SinkGone; 400, 413, 415 and 422 are SinkRefused.

        A Retry-After (RFC 9110, 10.2.3) with 429 or 5xx is passed on, at most `MOST_WAIT_S`.
        """
        status, wants = self._posted(self._request(event))
        if 200 <= status < 300:
            return
        told = f"{self.shown} answered HTTP {status}"
        if status == requests.codes.gone:
            raise SinkGone(f"{told}: it wants no event any more; take it out of the settings")
        if status in _REFUSED:
            raise SinkRefused(f"{told} to the event {event.id}: {_REFUSED[status]}")
        wait_s = retry_after(wants) if status == requests.codes.too_many_requests or status >= 500 else None
        raise SinkUnavailable(f"{told}: {_hint(status)}", None if wait_s is None else min(wait_s, MOST_WAIT_S))

    def close(self) -> None:
        """Close the connections that are kept."""
        self._adapter.close()

    def _request(self, event: CloudEvent) -> requests.PreparedRequest:
        try:
            headers, body = self._writer(event)
        except (InvalidEvent, UnsupportedFormat) as error:
            raise SinkRefused(f"the event {event.id} cannot be sent: {error}") from None
        request = self._blank.copy()
        request.body = body
        request.headers.update(headers)
        request.headers["Content-Length"] = str(len(body))
        if self._signer:
            request.headers.update(self._signer.headers(event.id, body, self._now()))
        return request

    def _posted(self, request: requests.PreparedRequest) -> tuple[int, str | None]:
        """Return the answer's status and its Retry-After. Raises SinkUnavailable."""
        exchange.deadline, exchange.sent, exchange.trail = Deadline.after(self._timeout_s), None, None
        timeout = Timeout(connect=min(_CONNECT_S, self._timeout_s), total=self._timeout_s)
        try:
            response = self._adapter.send(
                request,
                stream=True,
                timeout=timeout,  # type: ignore[arg-type]
                verify=self._verify,
                proxies=self._proxies,
            )
        except (requests.RequestException, HTTPError, OSError) as error:
            # From None: the text of requests' errors holds the path and the query.
            raise SinkUnavailable(self._why(error)) from None
        with response:
            _drain(response)
        return response.status_code, response.headers.get("Retry-After")

    def _why(self, error: Exception) -> str:
        if isinstance(error, requests.exceptions.SSLError):
            return f"no TLS with {self.shown}: check its certificate; REQUESTS_CA_BUNDLE names the authorities"
        if not exchange.deadline.remaining():
            return f"{self.shown} did not answer within {self._timeout_s:g} s"
        if exchange.sent:
            return f"the connection to {self.shown} broke before it answered"
        through = ", or to the proxy before it," if self._proxies else ""
        return f"no connection to {self.shown}{through} could be made: check that it runs and can be reached from here"


def _hint(status: int) -> str:
    if 300 <= status < 400:
        return "redirects are not followed; give the URL that it has moved to"
    return _HINTS.get(status) or ("look at its own log" if status >= 500 else "only 2xx says that it has the event")


def _drain(response: requests.Response) -> None:
    size = 0
    try:
        while size < _MOST_ANSWER and (part := response.raw.read1(_MOST_ANSWER - size, decode_content=False)):
            size += len(part)
    except (HTTPError, OSError):
        # The status has said it all; a connection that is not read to its end is closed.
        return
