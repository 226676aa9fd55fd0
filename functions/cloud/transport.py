"""One HTTP exchange with the cloud over the process's one session, every fault told apart by whether anything was sent."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass_environment  # type: ignore[attr-defined]

import requests
from urllib3.exceptions import HTTPError, LocationValueError, NewConnectionError, ReadTimeoutError
from urllib3.util import Timeout

from functions.cloud.answers import Answer
from functions.cloud.endpoints import is_loopback
from functions.cloud.errors import CallError, ConfigurationError, NoAnswer, NotSent, OutOfTime, UnreadableAnswer
from functions.cloud.settings import LOCAL
from functions.cloud.sockets import DeadlineAdapter, exchange

if TYPE_CHECKING:
    from collections.abc import Mapping

    from requests.adapters import BaseAdapter

    from functions.cloud.deadline import Deadline, Trail
    from functions.cloud.settings import CloudSettings

# The largest answer read into memory, in bytes; a page of a thousand members is a tenth of it.
MOST_ANSWER = 4 * 1024 * 1024
_CHUNK = 65_536


class Transport:
    """The process's connection pool; make one at start and share it between threads.

    Proxies (`HTTPS_PROXY`, `NO_PROXY`, ...) and the certificate authorities (`REQUESTS_CA_BUNDLE`, else `CURL_CA_BUNDLE`, else certifi's)
    are read once, here. Raises ConfigurationError when that file does not exist.
    """

    def __init__(self, settings: CloudSettings, environ: Mapping[str, str]) -> None:
        self._connect_timeout_s = settings.connect_timeout_s
        self._session = _session(settings)
        self._in_process = settings.emulator == LOCAL
        self._verify: bool | str = environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE") or True
        if isinstance(self._verify, str) and not Path(self._verify).exists():
            raise ConfigurationError("REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) names a file that does not exist")
        self._proxies = getproxies()
        self._proxies_by_base: dict[str, dict[str, str]] = {}
        self._blank = requests.Request("GET", "http://emulator.invalid/").prepare()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        base: str,
        deadline: Deadline,
        trail: Trail | None = None,
    ) -> Answer:
        """Send one request and read its whole answer; redirects are not followed (they would carry the signature elsewhere).

        `trail` is told when sending begins.
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
        exchange.deadline, exchange.sent, exchange.trail = deadline, None, trail
        if trail:
            trail.sent = trail.sent or self._in_process
        try:
            # Not by Session.send, which looks for redirects, cookies and hooks in each answer.
            response = self._session.get_adapter(url).send(
                request,
                timeout=Timeout(connect=min(self._connect_timeout_s, left), total=left),  # type: ignore[arg-type]
                verify=self._verify,
                proxies=self._proxies_for(base),
                cert=None,
                stream=True,
            )
            with response:
                return Answer(response.status_code, response.headers, _whole(response))
        except (*_OF_EXCHANGES, OSError) as error:
            raise _told_apart(error, base, deadline, sent=exchange.sent) from error

    def _proxies_for(self, base: str) -> dict[str, str]:
        if base not in self._proxies_by_base:
            direct = is_loopback(base) or proxy_bypass_environment(urlsplit(base).netloc, self._proxies)
            self._proxies_by_base[base] = {} if direct else self._proxies
        return self._proxies_by_base[base]


def _session(settings: CloudSettings) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    adapter: BaseAdapter = DeadlineAdapter(pool_connections=8, pool_maxsize=settings.pool_size, max_retries=0)
    if settings.emulator == LOCAL:
        try:
            from functions.cloud.emulator.adapter import EmulatorAdapter
        except ModuleNotFoundError:
            told = "HONGYAN_EMULATOR=local: the emulator is not among the files that are deployed; set a loopback URL of `flask emulator`"
            raise ConfigurationError(told) from None
        from functions.cloud.emulator.core import Emulator

        adapter = EmulatorAdapter(Emulator())
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _whole(response: requests.Response) -> bytes:
    parts, size = [], 0
    while part := response.raw.read1(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > MOST_ANSWER:
            raise UnreadableAnswer(
                f"the cloud's answer is larger than {MOST_ANSWER} bytes", status=response.status_code
            )
    return b"".join(parts)


def _told_apart(error: Exception, base: str, deadline: Deadline, *, sent: bool | None) -> CallError:
    """Return what a fault of the network means: was nothing sent, or is it unknown whether the request took effect?

    `sent` is what the connection knows, None where there was none (in process).
    """
    cause = _causes(error)
    if any(isinstance(one, ssl.SSLCertVerificationError) for one in cause):
        told = f"the certificate of {base} could not be verified; REQUESTS_CA_BUNDLE names the authorities"
        return NotSent(told, kind="internal")
    if isinstance(error, (requests.exceptions.InvalidURL, LocationValueError)):
        return NotSent(
            f"{base}, or the proxy before it, is not an address that requests can be sent to", kind="internal"
        )
    if sent is None and (isinstance(error, requests.exceptions.InvalidSchema) or not isinstance(error, _OF_EXCHANGES)):
        # requests itself refused before any connection was asked for: a proxy's scheme, a file of authorities that is gone.
        return NotSent(f"requests to {base} cannot be sent as proxies and REQUESTS_CA_BUNDLE are set", kind="internal")
    if sent is False and not deadline.remaining():
        return OutOfTime(f"connecting to {base} took all the time there was")
    # What the connection knows wins: behind a proxy, urllib3 calls an answer that was lost a proxy that was not reached.
    if not sent and (sent is False or any(isinstance(one, _NOT_CONNECTED) for one in cause)):
        return NotSent(f"no connection to {base} could be made")
    if any(isinstance(one, _TIMED_OUT) for one in cause):
        return NoAnswer(f"{base} did not answer in time", kind="deadline_exceeded")
    return NoAnswer(f"the connection to {base} broke before its answer was complete")


_OF_EXCHANGES = (requests.RequestException, HTTPError)
_NOT_CONNECTED = (NewConnectionError, requests.ConnectTimeout, requests.exceptions.ProxyError)
_TIMED_OUT = (requests.Timeout, ReadTimeoutError, TimeoutError)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        item = todo.pop()
        if isinstance(item, BaseException) and item not in found:
            found.append(item)
            todo += [*item.args, getattr(item, "reason", None), item.__cause__, item.__context__]
    return found
