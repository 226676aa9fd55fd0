"""What became of the headers that a scheme needs: lost, renamed or doubled on the way, or those of another scheme."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from events.explain.words import Words
from events.signatures import registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.signatures import Delivery, Scheme

_PROXIES = ("via", "forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip")
# Older headers, which stand beside or in place of those that a scheme reads.
_OLDER = {"x-hub-signature-256": ("x-hub-signature", "X-Hub-Signature (SHA-1, which is not taken)")}
_ABSENT = {
    "feishu": "Feishu signs only when the app has an Encrypt Key: without one leave encrypt_key out of the secret."
}
# Anybody's headers: they tell no scheme.
_COMMON = ("authorization", "idempotency-key", "ce-id")


def lost(scheme: Scheme, delivery: Delivery, detail: str) -> Words:
    """Return what to say of a request that lacks what its scheme reads; `detail` is the scheme's own."""
    came = [name for name in scheme.headers if name in delivery.headers]
    reads = f" The scheme {scheme.name} reads the headers {_listed(scheme.headers)}; of these came {_listed(came) or 'none'}."
    other = like(scheme, delivery)
    if other:
        fix = f'Write scheme = "{other}" for this sender, or let it post to the path of the right one.'
    else:
        fix = "Let the sender write them, and whatever stands before this server pass headers and query on unchanged."
    return Words("header_lost", f"{detail[:1].upper()}{detail[1:]}.{reads if scheme.headers else ''}", fix)


def notes(scheme: Scheme, delivery: Delivery) -> Iterator[str]:
    """Yield what else the headers tell. Only names that are known here are repeated."""
    other = like(scheme, delivery)
    if other:
        yield f"This looks like a request of the scheme {other}."
    for name in scheme.headers:
        yield from _of(name, delivery)
    if scheme.headers and not any(name in delivery.headers for name in scheme.headers) and scheme.name in _ABSENT:
        yield _ABSENT[scheme.name]
    passed = [name for name in _PROXIES if name in delivery.headers]
    if passed:
        yield f"It came through a proxy ({_listed(passed)}): see that it passes these headers on."


def like(scheme: Scheme, delivery: Delivery) -> str:
    """Return the name of another scheme that a request looks like, "" for none: it has half of its headers, and a sign of its own."""
    for name in registry.names():
        kind = registry.find(name)
        own = {header for header in kind.headers if header not in (*_COMMON, *scheme.headers)} if kind else set()
        came = own & delivery.headers.keys()
        if kind and name != scheme.name and came and 2 * len(came) >= len(kind.headers):
            return name
    return "wecom" if scheme.name != "wecom" and "msg_signature" in delivery.query else ""


def once(scheme: Scheme, delivery: Delivery) -> Delivery:
    """Return a request with each header once that came twice with the same value."""
    halved = {name: _half(delivery.headers[name]) for name in scheme.headers if name in delivery.headers}
    return replace(delivery, headers={**delivery.headers, **halved})


def _half(value: str) -> str:
    """Return what a value is once that came twice, which servers join by a comma."""
    half = value[: len(value) // 2].rstrip(" ,")
    return half if half and value in (f"{half},{half}", f"{half}, {half}") else value


def _of(name: str, delivery: Delivery) -> Iterator[str]:
    """Yield what became of one header."""
    value = delivery.headers.get(name)
    if value is None:
        for other, words in _renamed(name):
            if other in delivery.headers:
                yield f"There is {words} in place of {name}."
        return
    if _half(value) != value:
        yield f"{name} came twice with the same value: something on the way adds it once more."
    elif value[:1] in "\"'" and value[-1:] == value[:1] != "":
        yield f"{name} came in quotation marks."


def _renamed(name: str) -> Iterator[tuple[str, str]]:
    under = name.replace("-", "_")
    if under != name:
        yield under, f"{under} (with _, which servers and proxies drop or take for something else)"
    for other in (name.removeprefix("x-"), f"x-{name}", f"http-{name}", f"x-original-{name}"):
        if other != name:
            yield other, other
    if name in _OLDER:
        yield _OLDER[name]


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)
