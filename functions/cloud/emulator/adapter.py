"""The emulator's door in process: a transport for `requests`, for tests and functions that want no socket."""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.message import Request, Response

_DEFAULT_PORTS = {"http": 80, "https": 443}


class EmulatorAdapter(BaseAdapter):
    """Answer every request of a session: `session.mount("https://", EmulatorAdapter(emulator))`.

    Faults reach the caller as over a socket: `drop` as requests' ConnectionError, `truncate` as ChunkedEncodingError
    (urllib3's ProtocolError when the raw body is read), a delay as long as the read timeout as ReadTimeout, after
    that timeout has been spent with the emulator's `sleep`; the call itself still takes effect.
    """

    def __init__(self, emulator: Emulator) -> None:
        super().__init__()
        self._emulator = emulator

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: ARG002 - Session.send reads the body itself when it is not to be streamed.
        timeout: Any = None,
        verify: Any = True,  # noqa: ARG002 - There is no TLS in process.
        cert: Any = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """Hand the request to the emulator; raises what a socket would have raised."""
        patience = _Patience(self._emulator.sleep, _read_timeout(timeout))
        answer = self._emulator.handle(_received(request), wait=patience)
        if patience.exhausted:
            reason = urllib3.exceptions.ReadTimeoutError(None, request.url, f"Read timed out. ({patience.limit_s} s)")  # type: ignore[arg-type]
            raise requests.exceptions.ReadTimeout(reason, request=request)
        if answer.ending == "drop":
            lost = urllib3.exceptions.ProtocolError(
                "Connection aborted.", ConnectionResetError("closed without answer")
            )
            raise requests.exceptions.ConnectionError(lost, request=request)
        return _response(request, answer)

    def close(self) -> None:
        """Nothing is held open."""


class _Patience:
    """Waits for a fault's delay, but no longer than the read timeout."""

    def __init__(self, sleep: Callable[[float], object], limit_s: float | None) -> None:
        self._sleep = sleep
        self.limit_s = limit_s
        self.exhausted = False

    def __call__(self, seconds: float) -> None:
        self.exhausted = self.limit_s is not None and seconds >= self.limit_s
        self._sleep(self.limit_s if self.exhausted and self.limit_s is not None else seconds)


def _read_timeout(timeout: Any) -> float | None:
    if isinstance(timeout, urllib3.Timeout):
        return _read_timeout(timeout.read_timeout if timeout.total is None else timeout.total)
    if isinstance(timeout, tuple):
        return _read_timeout(timeout[1])
    return timeout if isinstance(timeout, int | float) else None


def _received(request: requests.PreparedRequest) -> Request:
    given = {_text(name).lower(): _text(value) for name, value in request.headers.items()}
    # http.client adds Host on the wire, and a signature covers it.
    headers = {"host": _host(request.url or ""), **given}
    return Request(request.method or "", request.path_url, headers, _bytes(request.body))


def _host(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return host.removesuffix(f":{_DEFAULT_PORTS.get(parts.scheme)}")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _bytes(body: Any) -> bytes:
    if isinstance(body, str):
        return body.encode()
    return b"".join(body or ()) if not isinstance(body, bytes) else body


def _response(request: requests.PreparedRequest, answer: Response) -> requests.Response:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    raw = urllib3.HTTPResponse(
        body=BytesIO(answer.sent),
        headers=headers,
        status=answer.status,
        reason=_reason(answer.status),
        preload_content=False,
        decode_content=False,
        request_method=request.method,
    )
    response = requests.Response()
    response.status_code = answer.status
    response.reason = raw.reason  # type: ignore[assignment]
    response.headers = CaseInsensitiveDict(headers)
    response.encoding = requests.utils.get_encoding_from_headers(response.headers)
    response.url = request.url or ""
    response.raw = raw
    response.request = request
    return response


def _reason(status: int) -> str:
    known = {one.value: one.phrase for one in HTTPStatus}
    return known.get(status, "Unknown")
