"""One HTTP exchange with the cloud over the process's one session, every fault told apart by whether anything was sent."""

from __future__ import annotations

import ssl
from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

import requests
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError
from urllib3.exceptions import TimeoutError as PoolTimeoutError

from functions.cloud.answers import Answer
from functions.cloud.endpoints import is_loopback
from functions.cloud.errors import CallError, NoAnswer, NotSent, OutOfTime, UnreadableAnswer
from functions.cloud.settings import LOCAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from functions.cloud.deadline import Deadline
    from functions.cloud.settings import CloudSettings

# The largest answer read into memory, in bytes; the largest page of any operation is far below.
MOST_ANSWER = 32 * 1024 * 1024
_CHUNK = 65_536


class Transport:
    """The process's connection pool; make one at start and share it between threads.

    Proxies (`HTTPS_PROXY`, `NO_PROXY`, ...) and the certificate authorities (`REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE`, else certifi's)
    are read once, here.
    """

    def __init__(self, settings: CloudSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._session = _session(settings)
        self._verify: bool | str = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or True
        self._proxies = getproxies()
        self._no_proxy = self._proxies.pop("no", None)
        self._by_base: dict[str, dict[str, str]] = {}
        self._blank = requests.Request("GET", "http://emulator.invalid/").prepare()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, base: str, deadline: Deadline
    ) -> Answer:
        """Send one request and read its whole answer; redirects are not followed (they would carry the signature elsewhere).

        Raises OutOfTime (nothing sent), NotSent (no connection), NoAnswer (sent, the answer never came or broke off; its kind is
        deadline_exceeded when time ran out, else unavailable), UnreadableAnswer (larger than `MOST_ANSWER`).
        """
        left = deadline.remaining()
        if not left:
            raise OutOfTime("no time was left to ask the cloud")
        request = self._blank.copy()
        # None, not b"": an empty body without a length would be sent chunked.
        request.method, request.url, request.body = method, url, body or None
        request.headers.update(headers)
        timeout = (min(self._settings.connect_timeout_s, left), min(self._settings.read_timeout_s, left))
        try:
            response = self._session.send(
                request,
                timeout=timeout,
                verify=self._verify,
                proxies=self._proxies_for(base),
                cert=None,
                stream=True,
                allow_redirects=False,
            )
            with response:
                return Answer(response.status_code, response.headers, _whole(response, deadline))
        except (requests.RequestException, HTTPError) as error:
            raise _told_apart(error, base) from error

    def _proxies_for(self, base: str) -> dict[str, str]:
        if base not in self._by_base:
            direct = is_loopback(base) or should_bypass_proxies(base, no_proxy=self._no_proxy)
            self._by_base[base] = {} if direct else self._proxies
        return self._by_base[base]


def _session(settings: CloudSettings) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter: Any = HTTPAdapter(pool_connections=8, pool_maxsize=settings.pool_size, max_retries=0)
    if settings.emulator == LOCAL:
        from functions.cloud.emulator.adapter import EmulatorAdapter
        from functions.cloud.emulator.core import Emulator

        adapter = EmulatorAdapter(Emulator())
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _whole(response: requests.Response, deadline: Deadline) -> bytes:
    parts, size = [], 0
    while part := response.raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > MOST_ANSWER:
            raise UnreadableAnswer(
                f"the cloud's answer is larger than {MOST_ANSWER} bytes", status=response.status_code
            )
        if response.raw.length_remaining != 0:
            _hurry(response, deadline)
    return b"".join(parts)


def _hurry(response: requests.Response, deadline: Deadline) -> None:
    """Give the rest of an answer only the time that is left: the socket's own timeout starts afresh with every byte."""
    left = deadline.remaining()
    if not left:
        raise NoAnswer(
            "the cloud's answer was not complete in time", kind="deadline_exceeded", status=response.status_code
        )
    socket = getattr(getattr(response.raw, "connection", None), "sock", None)
    if socket is not None:
        socket.settimeout(left)


def _told_apart(error: Exception, base: str) -> CallError:
    """Return what a fault of the network means: was nothing sent, or is it unknown whether the request took effect?"""
    cause = _causes(error)
    if isinstance(error, requests.exceptions.SSLError) and any(
        isinstance(c, ssl.SSLCertVerificationError) for c in cause
    ):
        return NotSent(
            f"the certificate of {base} could not be verified; REQUESTS_CA_BUNDLE names the authorities",
            kind="internal",
        )
    if any(isinstance(c, NewConnectionError) for c in cause) or isinstance(
        error, (requests.ConnectTimeout, requests.exceptions.ProxyError)
    ):
        return NotSent(f"no connection to {base} could be made")
    if isinstance(error, requests.Timeout) or any(
        isinstance(c, (ReadTimeoutError, PoolTimeoutError, TimeoutError)) for c in cause
    ):
        return NoAnswer(f"{base} did not answer in time", kind="deadline_exceeded")
    return NoAnswer(f"the connection to {base} broke before its answer was complete")


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        item = todo.pop()
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            todo += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return found
