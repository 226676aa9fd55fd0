"""The one way to ask a URL that a sender names: https, to a listed host at a public address, once, within a deadline."""

from __future__ import annotations

import http.client
import re
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from events.outward import addresses
from events.outward.exchange import BadAnswer, left, receive, send
from functions.cloud.deadline import Deadline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LONGEST_URL = 2048
"""Characters of a URL."""

# At least two labels, of which the last is no number: so nobody can take a name for an address (RFC 1123, 2.1).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)+(?![0-9]+\Z|0x[0-9a-f]*\Z){_LABEL}")
_VISIBLE = re.compile(r"[!-\[\]-~]*")
_PARTS = re.compile(r"https://([^/?#]*)([^#]*)(#.*)?")
# RFC 3986, 3.3 and 3.4.
_CHARACTER = r"[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2}"
_PATH_AND_QUERY = re.compile(rf"(?:/(?:{_CHARACTER})*)?(?:\?(?:{_CHARACTER}|\?)*)?")


class OutwardRefused(Exception):
    """The URL may not be asked; the text says why."""


class OutwardFailed(Exception):
    """The URL was asked and gave no good answer; the text says what came instead."""


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that may be asked: its host in lower case, and its path with the query as they are sent."""

    host: str
    path: str


class Outward:
    """Asks URLs of the listed hosts. Made once, shared between threads; it keeps no connection, no cookie and knows no proxy.

    `deadline_s`: seconds for everything but the look-up of the name. `limit`: bytes of an answer's body. What follows is for tests: the
    port to connect to, how a name is looked up, which addresses will do, and whom TLS trusts (None: the system's authorities).
    """

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        deadline_s: float = 5.0,
        limit: int = 65_536,
        port: int = 443,
        resolve: Callable[[str], Sequence[str]] = addresses.resolve,
        reachable: Callable[[str], bool] = addresses.is_public,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """List the hosts. Raises ValueError for one that is no name in ASCII (IDNA as `xn--`) of at least two labels."""
        self.hosts = frozenset(host.lower() for host in hosts)
        for host in self.hosts:
            if not _NAME.fullmatch(host):
                raise ValueError(f"{repr(host)[:100]} is no host name such as www.example.com")
        self._deadline_s, self._limit, self._port = deadline_s, limit, port
        self._resolve, self._reachable = resolve, reachable
        self._tls = tls or ssl.create_default_context()

    def check(self, url: str) -> Target:
        """Return what the URL names, without asking anybody. Raises OutwardRefused."""
        if len(url) > LONGEST_URL:
            raise OutwardRefused(f"the URL is longer than {LONGEST_URL} characters")
        if not _VISIBLE.fullmatch(url):
            raise OutwardRefused("the URL holds white space, a control character, a backslash or what is not ASCII")
        parts = _PARTS.fullmatch(url)
        if not parts:
            raise OutwardRefused("the URL does not begin with https://")
        authority, path, fragment = parts.groups()
        host, colon, port = authority.partition(":")
        if host.lower() not in self.hosts:
            raise OutwardRefused(f"the host {repr(authority)[:100]} is not one of those allowed")
        if colon and port != "443":
            raise OutwardRefused("the URL names a port other than 443")
        if fragment or not _PATH_AND_QUERY.fullmatch(path):
            raise OutwardRefused(
                "the URL has a fragment, or a path or query with a character or escape that is not allowed there"
            )
        return Target(host.lower(), path if path.startswith("/") else f"/{path}")

    def get(self, url: str) -> bytes:
        """Return the body of the 2xx answer to a GET of the URL. Raises OutwardRefused, OutwardFailed."""
        return self._exchange("GET", self.check(url))

    def _exchange(self, method: str, target: Target) -> bytes:
        host, deadline = target.host, Deadline.after(self._deadline_s)
        try:
            with self._connected(host, self._addresses(host), deadline) as connection:
                send(connection, method, host, target.path, deadline)
                return receive(connection, method, self._limit, deadline)
        except BadAnswer as answer:
            raise OutwardFailed(f"{host} {answer}") from None
        except TimeoutError:
            raise OutwardFailed(f"{host} took longer than {self._deadline_s:g} s") from None
        except (OSError, http.client.HTTPException) as error:
            raise OutwardFailed(f"asking {host} failed: {type(error).__name__}: {repr(str(error))[:100]}") from None

    def _addresses(self, host: str) -> Sequence[str]:
        """Return where the host is. One address that will not do refuses them all: such a name is not to be trusted."""
        found = self._resolve(host)
        for address in found:
            if not self._reachable(address):
                raise OutwardRefused(f"{host} is at {repr(address)[:100]}, which is no public address")
        return found

    def _connected(self, host: str, found: Sequence[str], deadline: Deadline) -> ssl.SSLSocket:
        """Connect to just these addresses in turn: the name is not looked up again, so it cannot have moved (DNS rebinding)."""
        failed = OSError("the name has no address")
        for tried, address in enumerate(found):
            try:
                connection = socket.create_connection((address, self._port), left(deadline) / (len(found) - tried))
            except OSError as error:
                failed = error
                continue
            with connection:  # TLS takes the socket over; where it cannot, this closes it.
                connection.settimeout(left(deadline))
                return self._tls.wrap_socket(connection, server_hostname=host, suppress_ragged_eofs=False)
        raise failed
