"""Where a request really came from: what a proxy says of it is believed only of proxies that the settings name."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SAYING = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")
UNIX = "unix"
"""Named as a proxy, it stands for whoever reaches the server through its Unix socket."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from.

    `client` is an address or "", `near` tells whether it came from this very machine, `https` whether nobody on its way could read it.
    """

    client: str
    near: bool
    https: bool


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies that are believed, by network; `unix` for those behind the server's Unix socket."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    unix: bool = False

    @classmethod
    def read(cls, text: str) -> Proxies:
        """Read HONGYAN_PROXIES: addresses and networks with commas or blanks between. Raises ConfigurationError."""
        words = [word for word in re.split(r"[\s,]+", text) if word]
        try:
            return cls(tuple(ipaddress.ip_network(word) for word in words if word != UNIX), UNIX in words)
        except ValueError as error:
            raise ConfigurationError(
                f"HONGYAN_PROXIES must hold addresses or networks like 10.0.0.0/24, or unix: {error}"
            ) from None

    def origin(self, peer: str, scheme: str, headers: Mapping[str, str]) -> Origin:
        """Return where a request came from; `peer` is the connection's other end ("" on a Unix socket), header names are lower case."""
        if self._are(peer):
            return Origin(self._client(peer, headers), near=False, https=_last(headers, "x-forwarded-proto") == "https")
        # A proxy that was not named stands on this machine: what came through it came from anywhere.
        near = _is_loopback(peer) and not any(name in headers for name in _SAYING)
        return Origin(peer, near, scheme == "https" or near)

    def _are(self, address: str) -> bool:
        found = _address(address)
        return any(found in network for network in self.networks) if found else self.unix and not address

    def _client(self, peer: str, headers: Mapping[str, str]) -> str:
        """Return the last address of X-Forwarded-For that is no proxy of ours: what stands before it anybody may have written."""
        client = peer
        for said in reversed(headers.get("x-forwarded-for", "").split(",")):
            found = _address(said.strip())
            if found is None:
                break
            client = str(found)
            if not self._are(client):
                break
        return client


def _last(headers: Mapping[str, str], name: str) -> str:
    return headers.get(name, "").rpartition(",")[2].strip().lower()


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def _is_loopback(text: str) -> bool:
    found = _address(text)
    return found is not None and found.is_loopback
