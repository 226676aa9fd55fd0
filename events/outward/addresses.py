"""Which addresses are public, and where a name is, for the guard of outward requests.

What `ipaddress` calls global differs between versions of Python, so the special networks are written out. Sources: the IANA registries of
special-purpose addresses of IPv4 and IPv6. What they call globally reachable but nobody should be sent to (relays, AS112) is here too.
"""

from __future__ import annotations

import ipaddress
import socket

_SPECIAL4 = (
    "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24"
    " 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4"
)
# Protocols (with Teredo), documentation, 6to4, AS112. What maps or embeds IPv4 otherwise is no global unicast address (2000::/3).
_SPECIAL6 = "2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20"
_NOT_PUBLIC4 = tuple(ipaddress.IPv4Network(network) for network in _SPECIAL4.split())
_NOT_PUBLIC6 = tuple(ipaddress.IPv6Network(network) for network in _SPECIAL6.split())
_GLOBAL6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether a literal IP address is a public unicast one, so that asking it reaches nothing that is ours alone.

    IPv6 that stands for IPv4 (mapped, 6to4, Teredo) is none, save the well-known prefix of NAT64 (RFC 6052) before a public address.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC4)
    if ip.scope_id is not None:
        return False
    if ip in _NAT64:
        return is_public(str(ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)))
    return ip in _GLOBAL6 and not any(ip in network for network in _NOT_PUBLIC6)


def resolve(host: str) -> list[str]:
    """Return the addresses of a host as the operating system finds them, each once; no deadline reaches it. Raises OSError."""
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(where[0]) for *_, where in found))
