from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.proxies import Origin, Proxies
from functions.cloud.errors import ConfigurationError

NAMED = Proxies.read("10.0.0.0/24, 192.0.2.7 fd00::/8")


def test_nothing_is_believed_of_a_proxy_that_was_not_named() -> None:
    said = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    assert NAMED.origin("198.51.100.1", "http", said) == Origin("198.51.100.1", near=False, https=False)
    assert Proxies().origin("10.0.0.1", "http", said) == Origin("10.0.0.1", near=False, https=False)


@pytest.mark.parametrize("peer", ["10.0.0.1", "192.0.2.7", "fd00::1", "::ffff:10.0.0.1"])
def test_a_named_proxy_is_believed(peer: str) -> None:
    said = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    assert NAMED.origin(peer, "http", said) == Origin("203.0.113.9", near=False, https=True)


@pytest.mark.parametrize(
    ("said", "client"),
    [
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),  # The first is the sender's own invention.
        ("1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.3,10.0.0.2", "10.0.0.3"),
        ("203.0.113.9, junk", "10.0.0.1"),
        ("junk, 203.0.113.9", "203.0.113.9"),
        ("", "10.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("203.0.113.9:4711", "10.0.0.1"),
    ],
)
def test_the_last_address_that_no_proxy_of_ours_has(said: str, client: str) -> None:
    assert NAMED.origin("10.0.0.1", "http", {"x-forwarded-for": said}).client == client


@pytest.mark.parametrize(
    ("said", "https"), [("https", True), ("HTTPS", True), ("https, http", False), ("http, https", True), ("", False)]
)
def test_the_last_scheme_counts(said: str, https: bool) -> None:
    assert NAMED.origin("10.0.0.1", "https", {"x-forwarded-proto": said}).https is https


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_near_and_cannot_be_read_along(peer: str) -> None:
    assert Proxies().origin(peer, "http", {}) == Origin(peer, near=True, https=True)


@pytest.mark.parametrize(
    "name", ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"]
)
def test_what_came_through_a_proxy_on_this_machine_is_not_near(name: str) -> None:
    assert Proxies().origin("127.0.0.1", "http", {name: ""}) == Origin("127.0.0.1", near=False, https=False)


def test_tls_of_our_own_is_https() -> None:
    assert Proxies().origin("203.0.113.9", "https", {}).https


def test_a_unix_socket_is_a_proxy_only_when_named() -> None:
    said = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    assert Proxies().origin("", "http", said) == Origin("", near=False, https=False)
    assert Proxies.read("unix").origin("", "http", said) == Origin("203.0.113.9", near=False, https=True)


@pytest.mark.parametrize("text", ["10.0.0.1/24", "proxy.example.com", "10.0.0.0/33", "*"])
def test_what_is_no_network_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="HONGYAN_PROXIES must hold"):
        Proxies.read(text)


def test_none_are_named_by_an_empty_text() -> None:
    assert Proxies.read(" , ") == Proxies()


@given(st.text(), st.text(), st.text())
def test_any_header_is_answered(peer: str, said: str, scheme: str) -> None:
    for proxies in (NAMED, Proxies.read("unix 0.0.0.0/0")):
        proxies.origin(peer, scheme, {"x-forwarded-for": said, "x-forwarded-proto": scheme})
