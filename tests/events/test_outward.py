"""What a sender may make us ask: hostile URLs and names, hostile servers over real TLS, and nothing beside what was asked."""

from __future__ import annotations

import socket
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import trustme
import urllib3.util
from hypothesis import given
from hypothesis import strategies as st

from events.outward import LONGEST_URL, Outward, OutwardFailed, OutwardRefused, Target
from events.outward.addresses import is_public, resolve
from events.outward.exchange import HEAD_LIMIT, BadAnswer, receive
from functions.cloud.deadline import Deadline
from tests.events.signatures.contract import anything, thoroughly
from tests.events.tls import authority, believes, on_loopback, plain, served
from tests.support import http

if TYPE_CHECKING:
    import ipaddress
    import ssl
    from collections.abc import Callable

pytestmark = pytest.mark.slow

GOOD, IDNA = "good.example.com", "xn--bcher-kva.example.com"
URL = f"https://{GOOD}/a?b=c"


def never(host: str) -> list[str]:
    raise AssertionError(host)


CHECKS = Outward([GOOD, IDNA], resolve=never, tls=believes())


def says(raw: bytes) -> Callable[[ssl.SSLSocket], None]:
    return lambda secure: secure.sendall(raw)


# Which URLs


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (f"https://{GOOD}", Target(GOOD, "/")),
        (f"https://{GOOD}/", Target(GOOD, "/")),
        (f"https://{GOOD}:443/a", Target(GOOD, "/a")),
        (f"https://{GOOD.upper()}/A?B=C", Target(GOOD, "/A?B=C")),
        (f"https://{GOOD}?token=1&urn=a:b", Target(GOOD, "/?token=1&urn=a:b")),
        (f"https://{GOOD}/a@b/..//c?d?e/f", Target(GOOD, "/a@b/..//c?d?e/f")),
        (f"https://{GOOD}/%0d%0aHost:%20evil", Target(GOOD, "/%0d%0aHost:%20evil")),
        (f"https://{IDNA}/", Target(IDNA, "/")),
        (f"https://{GOOD}/".ljust(LONGEST_URL, "a"), Target(GOOD, "/".ljust(LONGEST_URL - 24, "a"))),
    ],
)
def test_a_url_of_a_listed_host_may_be_asked(url: str, target: Target) -> None:
    assert CHECKS.check(url) == target


@pytest.mark.parametrize(
    ("url", "told"),
    [
        *((url, "https://") for url in ("", "https:", f"http://{GOOD}/", f"ftp://{GOOD}/", "file:///etc/passwd", f"//{GOOD}/")),
        *((url, "https://") for url in (GOOD, f"https:{GOOD}", f"https:/{GOOD}/", f"HTTPS://{GOOD}/", "gopher://good", "data:,x")),
        *(
            (f"https://{host}/", "not one of those allowed")
            for host in (
                *("", "evil.com", f"{GOOD}.evil.com", f"evil{GOOD}", f"a.{GOOD}", f"{GOOD}.", f".{GOOD}", "example.com", "localhost"),
                *(f"{GOOD}@evil.com", f"{GOOD}@{GOOD}", f"user@{GOOD}", f":@{GOOD}", f"@{GOOD}", f"evil.com@{GOOD}", f"{GOOD}%00"),
                *(f"{GOOD}%2eevil.com", "good%2eexample.com", f"%67{GOOD[1:]}", "good.example.com;evil.com", f"{GOOD},evil.com"),
                *("127.0.0.1", "127.1", "2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "017700000001", "0", "0.0.0.0"),
                *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1%25lo]", "[64:ff9b::7f00:1]", "::1", f"[{GOOD}]"),
                *("169.254.169.254", "100.64.0.1", "10.0.0.1", "metadata.google.internal", "xn--bcher-kva.com", "xn--good-.example.com"),
            )
        ),
        *((f"https://{GOOD}:{port}/", "port other") for port in ("", "80", "0443", "65979", "443:443", "+443", "-1", "22", "443@evil.com")),
        *(
            (url, "white space, a control character, a backslash")
            for url in (
                *(f"https://{GOOD}\\@evil.com/", f"https://evil.com\\.{GOOD}/", f"https:\\\\{GOOD}/", f"https://{GOOD}/\\..", f"{URL}\\"),
                *(f" {URL}", f"{URL} ", f"{URL}\n", f"{URL}\r\nX: y", f"https://{GOOD}\t/", "https://go\nod.example.com/", f"{URL}\x00"),
                *(f"https://{GOOD}/\x7f", f"https://{GOOD}/é", "https://bücher.example.com/", "https://ｇood.example.com/", f"{URL}\u2028"),
                *("https://good。example.com/", "https://good․example.com/", f"https://{GOOD}\uff0fevil/", f"\ufeff{URL}", f"{URL}\ud800"),
                f"https://{GOOD.replace('e', 'ⅇ')}/",
            )
        ),
        (f"https://evil.com#@{GOOD}", "not one of those allowed"),
        (f"https://evil.com?@{GOOD}", "not one of those allowed"),
        (f"https://evil.com/@{GOOD}", "not one of those allowed"),
        *((url, "fragment") for url in (f"https://{GOOD}#@evil.com", f"https://{GOOD}/#", f"{URL}#x", f"https://{GOOD}#")),
        *((f"https://{GOOD}/{path}", "not allowed there") for path in ("%", "%0", "%zz", "?%", "?{}", *'"<>[]^`{|}')),
        (f"https://{GOOD}/".ljust(LONGEST_URL + 1, "a"), "longer than 2048"),
    ],
)  # fmt: skip
def test_every_other_url_is_refused_and_told_why(url: str, told: str) -> None:
    with pytest.raises(OutwardRefused) as caught:
        CHECKS.get(url)
    assert told in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


PIECES = st.sampled_from(
    [*"/\\?#@:.% \t\n\x00é。\ud800a&;[]", GOOD, GOOD.upper(), IDNA, "evil.com", "https://", "http://", "https:", "//", ":443", ":80",
     "%2e", "[::1]", "127.0.0.1", "localhost", "A=b", "..", "%25", "xn--"]
)  # fmt: skip
URLS = st.text() | st.lists(PIECES | st.text(max_size=2), max_size=8).map("".join)
LISTED = st.builds(
    "https://{}{}{}".format, st.sampled_from([GOOD, GOOD.upper(), IDNA]), st.sampled_from(["", "/", ":443"]), URLS
)


@anything
@given(URLS | URLS.map(lambda text: f"https://{text}") | LISTED)
def test_any_text_is_refused_or_names_a_listed_host_to_every_reader(url: str) -> None:
    try:
        target = CHECKS.check(url)
    except OutwardRefused:
        return
    standard, other = urlsplit(url), urllib3.util.parse_url(url)
    assert target.host in (GOOD, IDNA)
    assert (standard.scheme, standard.hostname, standard.port or 443, standard.username) == (
        "https",
        target.host,
        443,
        None,
    )
    assert (other.scheme, other.host, other.port or 443, other.auth, other.fragment) == (
        "https",
        target.host,
        443,
        None,
        None,
    )
    assert target.path.startswith("/")
    assert all("!" <= character <= "~" for character in target.path)


@pytest.mark.parametrize(
    "host",
    ["", "localhost", "127.0.0.1", "1.2", "a.0x7f", "a.0x", "::1", "[::1]", ".example.com", "example.com.", "a..b", "-a.b", "a-.b", "a_b.c",
     "bücher.example.com", "a b.c", "a.b:443", "a.b/", "user@a.b", "*.example.com", "a.b\n", f"{'a' * 64}.com", ".".join(["a" * 63] * 4)],
)  # fmt: skip
def test_only_a_host_name_can_be_listed(host: str) -> None:
    with pytest.raises(ValueError, match="is no host name such as"):
        Outward([host], tls=believes())


def test_hosts_are_listed_in_any_case() -> None:
    assert Outward(["GOOD.Example.com"], tls=believes()).hosts == {GOOD}


# Which addresses


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "223.255.255.255",
     "9.255.255.255", "2001:4860:4860::8888", "2606:4700::1111", "2001:200::1", "2a00::1", "64:ff9b::8.8.8.8"],
)  # fmt: skip
def test_a_public_address(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.255", "169.254.169.254",
     "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
     "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1",
     "::7f00:1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:7f00:1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
     "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:db8::1", "2001:2::1", "2001:10::1", "2002:7f00:1::",
     "2002:808:808::", "2620:4f:8000::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%lo",
     "2606:4700::1111%lo", "64:ff9b::808:808%lo", "fec0::1", "ff02::1", "4000::1", "", "localhost", "2130706433", "0x7f.1", "127.1",
     "1.1.1.1:443", "[::1]", "1.1.1.1\n"],
)  # fmt: skip
def test_an_address_that_is_not_public(address: str) -> None:
    assert not is_public(address)


@thoroughly
@given(st.ip_addresses())
def test_what_is_public_the_standard_library_calls_global(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not {address.is_multicast, address.is_link_local, address.is_loopback, address.is_unspecified} & {True}


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["1.1.1.1", "10.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["2606:4700::1111", "fe80::1%lo"],
        ["::ffff:127.0.0.1"],
        ["nonsense"],
    ],
)
def test_one_address_that_is_not_public_refuses_the_name(found: list[str]) -> None:
    """And nothing is connected to: a name whose answers are mixed is one that rebinds."""
    with pytest.raises(OutwardRefused, match="no public address"):
        Outward([GOOD], resolve=lambda _: found, tls=believes()).get(URL)


def test_the_systems_own_answer_is_what_is_checked() -> None:
    assert set(resolve("localhost")) <= {"127.0.0.1", "::1"}
    with pytest.raises(OutwardRefused):
        Outward([GOOD], resolve=lambda _: resolve("localhost"), tls=believes()).get(URL)


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), OSError("out of files")])
def test_a_name_that_cannot_be_found(error: OSError) -> None:
    def fails(_: str) -> list[str]:
        raise error

    with pytest.raises(OutwardFailed, match=f"asking {GOOD} failed: "):
        Outward([GOOD], resolve=fails, tls=believes()).get(URL)


def test_a_name_without_an_address() -> None:
    with pytest.raises(OutwardFailed, match="no address"):
        Outward([GOOD], resolve=lambda _: [], tls=believes()).get(URL)


def test_the_connection_is_made_to_the_address_that_was_checked() -> None:
    """A name that moves between the check and the connection (DNS rebinding) moves nothing: it is looked up once."""
    answers = iter([["127.0.0.1"], ["127.0.0.2"]])
    with served(says(http(200, b"yes"))) as server:
        outward = server.outward(
            [GOOD], resolve=lambda _: next(answers), reachable=lambda address: address == "127.0.0.1"
        )
        assert outward.get(URL) == b"yes"
    assert next(answers) == ["127.0.0.2"]


def test_the_next_address_is_tried_where_one_takes_no_connection() -> None:
    with served(says(http(200, b"yes"))) as server:
        assert (
            server.outward([GOOD], resolve=lambda _: ["::1", "127.0.0.1"], reachable=lambda _: True).get(URL) == b"yes"
        )


def test_each_address_gets_its_share_of_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Any] = []

    def refuses(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append((*address, timeout))
        raise ConnectionRefusedError

    monkeypatch.setattr("events.outward.Deadline.after", lambda seconds: Deadline(seconds, lambda: 0.0))
    monkeypatch.setattr(socket, "create_connection", refuses)
    with pytest.raises(OutwardFailed, match="ConnectionRefusedError"):
        Outward([GOOD], resolve=lambda _: ["1.1.1.1", "2606:4700::1111", "1.0.0.1"], tls=believes(), deadline_s=6).get(
            URL
        )
    assert tried == [("1.1.1.1", 443, 2.0), ("2606:4700::1111", 443, 3.0), ("1.0.0.1", 443, 6.0)]


# What is sent, and what comes back


def test_what_is_sent_is_this_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    cookie = http(200, b"yes", "Set-Cookie: a=b; Domain=example.com", 'WWW-Authenticate: Basic realm="x"')
    with served(says(cookie), says(cookie)) as server:
        outward = server.outward([GOOD])
        assert [outward.get(URL), outward.get(URL)] == [b"yes", b"yes"]
    head = (
        f"GET /a?b=c HTTP/1.1\r\nHost: {GOOD}\r\nUser-Agent: hongyan\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
        "Connection: close\r\n\r\n"
    )
    assert server.asked == [head.encode()] * 2


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (http(200, b""), b""),
        (http(200, b"x" * 65_536), b"x" * 65_536),
        (http(201, b"made"), b"made"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (CHUNKED + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nTrailer: x\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + http(200, b"yes"), b"yes"),
        (http(200, b"yes") + b"more than it said", b"yes"),
    ],
)
def test_a_good_answer(raw: bytes, body: bytes) -> None:
    with served(says(raw)) as server:
        assert server.outward([GOOD]).get(URL) == body


def test_a_body_that_ends_with_the_connection_needs_the_end_that_tls_has_for_it() -> None:
    def ends(secure: ssl.SSLSocket) -> None:
        secure.sendall(b"HTTP/1.1 200 OK\r\n\r\nyes")
        secure.unwrap()

    def breaks_off(secure: ssl.SSLSocket) -> None:
        secure.sendall(http(200, b"ye", length=3))
        secure.unwrap()

    with served(ends, says(b"HTTP/1.1 200 OK\r\n\r\nye"), breaks_off) as server:
        assert server.outward([GOOD]).get(URL) == b"yes"
        for told in ("SSLEOFError", "broke off"):
            with pytest.raises(OutwardFailed, match=told):
                server.outward([GOOD]).get(URL)


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        *((http(status, b"", "Location: https://127.0.0.1/"), f"answered {status}") for status in (301, 302, 303, 307, 308, 304)),
        *((http(status, b"no"), f"answered {status}") for status in (400, 401, 404, 500, 503, 101, 103, 199, 600, 999)),
        (http(200, b"x" * 65_537), "more than 65536 bytes"),
        (http(200, b"x", length=10**12), "SSLEOFError"),
        (CHUNKED + b"5\r\nab", "IncompleteRead|SSLEOFError"),
        (CHUNKED + b"-5\r\nab\r\n0\r\n\r\n", "no HTTP|IncompleteRead"),
        (CHUNKED + b"zz\r\nab", "IncompleteRead"),
        (CHUNKED + b"1\r\na\r\n" * 40_000, "answered too much"),
        (CHUNKED + b"11000\r\n" + b"x" * 0x11000 + b"\r\n0\r\n\r\n", "more than 65536 bytes"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n", "HTTPException"),
        (b"HTTP/1.1 200 OK\r\n" + (b"A: " + b"b" * 60_000 + b"\r\n") * 2 + b"\r\n", "answered too much"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000, "answered too much"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"b" * 70_000, "LineTooLong|answered too much"),
        (b"", "RemoteDisconnected|SSLEOFError"),
        (b"nonsense\r\n\r\n", "BadStatusLine"),
        (b"HTTP/1.1 abc\r\n\r\n", "BadStatusLine"),
        (b"\xff\x00\r\n" * 9, "BadStatusLine"),
    ],
)  # fmt: skip
def test_every_other_answer_is_a_failure(raw: bytes, told: str) -> None:
    with served(says(raw)) as server, pytest.raises(OutwardFailed, match=told):
        server.outward([GOOD]).get(URL)


def test_a_redirect_is_not_followed() -> None:
    with served(says(http(302, b"", f"Location: https://{GOOD}/b")), says(http(200, b"b"))) as server:
        with pytest.raises(OutwardFailed, match="redirects are not followed"):
            server.outward([GOOD]).get(URL)
        assert len(server.asked) == 1


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nA: ", http(200, b"x", length=60_000), CHUNKED])
def test_a_server_that_drips_or_is_silent_ends_with_the_deadline(begun: bytes) -> None:
    with served(says(http(200, b"yes"))) as server:
        assert server.outward([GOOD], deadline_s=20).get(URL) == b"yes"

    def drip(secure: ssl.SSLSocket) -> None:
        secure.sendall(begun)
        while not server.over.wait(0.02):
            secure.sendall(b"1" if begun else b"")

    with served(drip) as server, pytest.raises(OutwardFailed, match=rf"{GOOD} took longer than 0\.3 s"):
        server.outward([GOOD], deadline_s=0.3).get(URL)


@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x03\x40\x00"], ids=["silent", "drips"])
def test_a_handshake_that_does_not_end_ends_with_the_deadline(begun: bytes) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(begun)
        while not server.over.wait(0.02):
            connection.sendall(begun[:1])

    with plain(drip) as server, pytest.raises(OutwardFailed, match=r"took longer than 0\.3 s"):
        server.outward([GOOD], deadline_s=0.3).get(URL)


def test_a_look_up_that_used_up_the_deadline_connects_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 6.0, 6.0])
    monkeypatch.setattr("events.outward.Deadline.after", lambda seconds: Deadline(seconds, lambda: next(clock)))
    with pytest.raises(OutwardFailed, match="took longer than 0 s"):
        Outward([GOOD], resolve=lambda _: ["1.1.1.1"], tls=believes(), deadline_s=0).get(URL)


# Whom TLS believes


@pytest.mark.parametrize("name", ["evil.example.com", "example.com", "*.com", "127.0.0.1"])
def test_a_certificate_for_another_name_fails(name: str) -> None:
    with (
        served(says(http(200, b"yes")), name=name) as server,
        pytest.raises(OutwardFailed, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        server.outward([GOOD]).get(URL)
    assert not server.asked


def test_a_certificate_for_another_listed_host_fails() -> None:
    with served(says(http(200, b"yes"))) as server, pytest.raises(OutwardFailed, match="CERTIFICATE_VERIFY_FAILED"):
        server.outward([GOOD, IDNA]).get(f"https://{IDNA}/")


def test_a_certificate_of_an_unknown_authority_fails() -> None:
    with (
        served(says(http(200, b"yes")), by=trustme.CA()) as server,
        pytest.raises(OutwardFailed, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        server.outward([GOOD]).get(URL)
    assert not server.asked


def test_the_system_is_believed_where_nothing_else_is_said() -> None:
    with served(says(http(200, b"yes"))) as server, pytest.raises(OutwardFailed, match="CERTIFICATE_VERIFY_FAILED"):
        server.outward([GOOD], tls=None).get(URL)


def test_a_server_without_tls_fails() -> None:
    with (
        plain(lambda connection: connection.sendall(http(200, b"yes"))) as server,
        pytest.raises(OutwardFailed, match="SSL"),
    ):
        server.outward([GOOD]).get(URL)


def test_a_port_where_nobody_listens_fails() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(OutwardFailed, match="ConnectionRefusedError"):
        Outward(
            [GOOD], port=port, resolve=lambda _: ["127.0.0.1"], reachable=on_loopback, tls=believes(authority())
        ).get(URL)


# Any answer


class Wire:
    """A connection that plays these bytes, so many at a time, and then ends."""

    def __init__(self, raw: bytes, size: int) -> None:
        self.raw, self.size = raw, size

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0

    def recv_into(self, buffer: memoryview) -> int:
        part, self.raw = self.raw[: self.size][: len(buffer)], self.raw[min(self.size, len(buffer)) :]
        buffer[: len(part)] = part
        return len(part)


SIZES = [b"Content-Length: %s\r\n" % size for size in (b"3", b"-3", b"400", b"9" * 20, b"9" * 5000, b"x")]
LINES = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.0 200\r\n", b"HTTP/1.1 100 C\r\n",
     b"HTTP/1.1 204 N\r\n", b"Transfer-Encoding: chunked\r\n", *SIZES,
     b"\r\n", b"3\r\n", b"abc", b"-3\r\n", b"-1\r\n", b"0\r\n", b"ffffffffff\r\n", b"A: " + b"b" * 70_000, b": \r\n", b"\x00", b" fold\r\n"]
)  # fmt: skip
OK = st.lists(LINES, max_size=9).map(lambda rest: b"".join([b"HTTP/1.1 200 OK\r\n", *rest]))


@anything
@given(
    st.lists(LINES | st.binary(max_size=6), max_size=12).map(b"".join) | OK,
    st.integers(1, 4000),
)
def test_any_bytes_are_a_bounded_body_or_a_typed_failure(raw: bytes, size: int) -> None:
    wire: Any = Wire(raw, size)
    try:
        body = receive(wire, "GET", 256, Deadline.after(3600))
    except (BadAnswer, OSError, HTTPException):
        return
    assert len(body) <= 256
    assert len(raw) - len(wire.raw) <= 256 + HEAD_LIMIT
