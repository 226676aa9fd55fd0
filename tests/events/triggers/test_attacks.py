"""What the internet sends, over real sockets against the production server with senders: nothing crashes, leaks or is done twice."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import TYPE_CHECKING

import pytest

from events.samples import sample
from tests.events.triggers.served import KEYS, SECRETS, TOKEN, Served, answer_of, problem_of, served, signed

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

BODY = sample("elb.list_members")
HOOK = "/hooks/monitoring"
BEARER = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
NEXT = iter(range(10**9))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("server")
    with served(folder, HONGYAN_RECEIVE_S="2") as running:
        yield running
        # Whatever was sent below: no secret is in any line of the log, and nothing crashed.
        assert not _secrets_in("".join(running.logged))
        assert "Traceback" not in "".join(running.logged)
    kept = b"".join(file.read_bytes() for file in (folder / "captures").iterdir())
    assert kept
    assert not _secrets_in(kept.decode("latin-1"))


def _secrets_in(text: str) -> list[str]:
    known = [
        *SECRETS.values(),
        *(secret.removeprefix("whsec_") for secret in SECRETS.values()),
        TOKEN,
        *(key.hex() for key in KEYS.values()),
    ]
    return [secret for secret in known if secret in text]


def new_id() -> str:
    return f"msg_{next(NEXT)}"


def good(server: Served, body: bytes = BODY, path: str = HOOK, **more: str) -> tuple[int, dict[str, str], bytes]:
    found = server.send(path, body, signed(body, new_id()) | more)
    assert not _secrets_in(str(found))
    return found


def refused(server: Served, headers: dict[str, str], body: bytes = BODY, path: str = HOOK) -> str:
    status, answered, raw = server.send(path, body, headers)
    assert status == 401, raw
    assert "www-authenticate" in answered
    assert not _secrets_in(str((answered, raw)))
    return str(problem_of((status, answered, raw))["reason"])


def test_a_good_request(server: Served) -> None:
    status, headers, body = good(server)
    assert (status, json.loads(body)["data"]["trigger"]["sender"]) == (200, "monitoring")
    assert headers["cache-control"] == "no-store"


# Replays


def test_a_replay_within_the_window_whichever_process_it_meets(server: Served) -> None:
    headers = signed(BODY, new_id())
    assert server.send(HOOK, BODY, headers)[0] == 200
    assert {refused(server, headers) for _ in range(20)} == {"replayed"}


@pytest.mark.parametrize(
    ("off", "reason"), [(-301, "too_old"), (302, "too_new"), (-(10**6), "too_old"), (10**6, "too_new")]
)
def test_a_replay_outside_the_window(server: Served, off: int, reason: str) -> None:
    assert refused(server, signed(BODY, new_id(), at=time.time() + off)) == reason


def test_the_same_signature_in_other_words_is_still_a_replay(server: Served) -> None:
    headers = signed(BODY, new_id())
    assert server.send(HOOK, BODY, headers)[0] == 200
    known = headers["webhook-signature"]
    svix = {name.replace("webhook-", "svix-"): value for name, value in headers.items()}
    for other in (
        headers | {"webhook-signature": f"v1,AAAA {known}"},
        headers | {"webhook-signature": f"{known} {known}"},
        svix,
    ):
        assert refused(server, other) == "replayed"


def test_two_senders_share_an_id(server: Served) -> None:
    id_ = new_id()
    first = server.send(HOOK, BODY, signed(BODY, id_))
    second = server.send("/hooks/other", BODY, signed(BODY, id_, "OTHER"))
    assert (first[0], second[0]) == (200, 400)  # `other` may run two operations and must say which by a CloudEvent.
    event = json.dumps(
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "hongyan.elb.list_members", "data": json.loads(BODY)}
    ).encode()
    structured = "application/cloudevents+json"
    third = server.send("/hooks/other", event, signed(event, id_, "OTHER", content_type=structured))
    assert third[0] == 200
    assert json.loads(third[2])["id"] != json.loads(first[2])["id"]


def test_an_answer_without_a_body_claims_no_type(server: Served) -> None:
    id_ = new_id()
    assert server.send(HOOK, BODY, signed(BODY, id_, at=time.time() - 5))[0] == 200
    status, headers, body = server.send(HOOK, BODY, signed(BODY, id_))
    assert (status, body, headers["idempotent-replayed"]) == (200, b"", "true")
    assert "content-type" not in headers


# Other people's doors


def test_the_signature_of_one_sender_on_anothers_path(server: Served) -> None:
    assert refused(server, signed(BODY, new_id(), "OTHER")) == "signature_mismatch"
    assert refused(server, signed(BODY, new_id()), path="/hooks/other") == "signature_mismatch"
    assert refused(server, signed(BODY, new_id()), path="/hooks/plain") == "header_missing"


@pytest.mark.parametrize(
    ("operation", "status"), [("apig.add_members", 403), ("no.such", 403), ("elb.list_members", 200)]
)
def test_an_operation_that_was_not_granted(server: Served, operation: str, status: int) -> None:
    event = {
        "specversion": "1.0",
        "id": new_id(),
        "source": "/s",
        "type": f"hongyan.{operation}",
        "data": json.loads(BODY),
    }
    body = json.dumps(event).encode()
    found = server.send(HOOK, body, signed(body, new_id(), content_type="application/cloudevents+json"))
    assert (found[0], json.loads(found[2])["data"]["outcome"]) == (status, "succeeded" if status == 200 else "rejected")


def test_a_project_that_was_not_granted(server: Served) -> None:
    body = json.dumps(json.loads(BODY) | {"project_id": "ffffffffffffffffffffffffffffffff"}).encode()
    assert good(server, body)[0] == 403


@pytest.mark.parametrize("path", ["/functions/elb.list_members", "/functions/a/b", "/events"])
@pytest.mark.parametrize("method", ["POST", "GET", "OPTIONS"])
def test_the_doors_without_signatures_are_closed(server: Served, path: str, method: str) -> None:
    assert problem_of(server.send(path, BODY, {"Content-Type": "application/json"}, method))["status"] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/hooks/..",
        "/hooks/../functions/elb.list_members",
        "/hooks/%2e%2e/events",
        "/hooks/monitoring/../other",
        "/hooks/monitoring%2f..%2fother",
        "/hooks/..%5cother",
        "/hooks/%00",
        "/hooks/monitoring%00",
        "/hooks/%ff%fe",
        "/hooks/monitoring;a=b",
        "/hooks//monitoring",
        "/hooks/Monitoring",
        "/hooks/monitoring/",
        "/hooks/",
        "/hooks/" + "x" * 3000,
        "/docs/assets/../../../../etc/passwd",
        "/docs/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/docs/assets/%2e%2e/__init__.py",
        "/schemas/result/../../etc/passwd",
        "http://evil.example/hooks/other",
    ],
)
def test_paths_that_try_to_leave_their_place(server: Served, path: str) -> None:
    status, headers, body = server.send(path, BODY, signed(BODY, new_id()))
    assert status in (400, 401, 403, 404, 405)
    assert headers["content-type"] == "application/problem+json"
    assert b"root:" not in body
    assert "location" not in headers


# What is echoed


@pytest.mark.parametrize(
    "evil",
    ["a\r\nX-Evil: 1", "a\nX-Evil: 1", "a%0d%0aX-Evil:%201", "<script>alert(1)</script>", "\x1b[31m", "{{7*7}}", "é"],
)
def test_nothing_that_is_echoed_becomes_a_header_or_markup(server: Served, evil: str) -> None:
    event = {
        "specversion": "1.0",
        "id": evil,
        "source": "/s",
        "type": "hongyan.elb.list_members",
        "data": json.loads(BODY),
        "correlationid": evil,
    }
    body = json.dumps(event).encode()
    for extra in ({}, {"Accept": "application/json"}):
        headers = signed(body, new_id(), content_type="application/cloudevents+json") | extra
        _checked(server.send(HOOK, body, headers))
    hostile = evil.replace("\r", "").replace("\n", "")
    for name in (
        "traceparent",
        "tracestate",
        "Idempotency-Key",
        "webhook-id",
        "Origin",
        "WebHook-Request-Origin",
        "Host",
        "X-Forwarded-For",
        "Accept",
    ):
        _checked(server.send(HOOK, BODY, {**signed(BODY, new_id()), name: hostile}))
        _checked(server.send(HOOK, b"", {name: hostile}, "OPTIONS"))


def _checked(answer: tuple[int, dict[str, str], bytes]) -> None:
    status, headers, _ = answer
    assert status in (200, 400, 401, 405)
    assert "x-evil" not in headers
    assert "html" not in headers["content-type"]
    assert headers["x-content-type-options"] == "nosniff" or status == 400


# Bodies


def head(headers: dict[str, str], *lines: str) -> bytes:
    known = {"Host": "h", "Connection": "close", **headers}
    return "\r\n".join(
        [f"POST {HOOK} HTTP/1.1", *(f"{name}: {value}" for name, value in known.items()), *lines, "", ""]
    ).encode("latin-1")


def test_10_mb_with_a_small_content_length(server: Served) -> None:
    small = BODY
    raw = server.raw(head(signed(small, new_id()), f"Content-Length: {len(small)}"), small, b"x" * 10_000_000)
    status, _, _ = answer_of(raw)
    assert (
        status == 200
    )  # What was announced is the body; the rest is not read as a second request, for the connection is closed.
    assert raw.count(b"HTTP/1.1 ") == 1


def test_a_large_content_length_is_refused_without_reading_it(server: Served) -> None:
    answer = answer_of(server.raw(head(signed(b"", new_id()), "Content-Length: 999999999999")))
    assert problem_of(answer)["status"] == 413


def test_a_body_over_the_limit_is_refused_while_it_is_read(server: Served) -> None:
    assert problem_of(server.send(HOOK, b" " * 1_048_577, signed(b"", new_id())))["status"] == 413


def test_a_chunked_body_without_end(server: Served) -> None:
    chunks = (b"10000\r\n" + b"x" * 65_536 + b"\r\n" for _ in range(400))
    answer = answer_of(server.raw(head(signed(b"", new_id()), "Transfer-Encoding: chunked"), *chunks))
    assert problem_of(answer)["status"] == 413


@pytest.mark.parametrize(
    "chunks",
    [b"zz\r\n", b"-1\r\n", b"5\r\nab", b"5;" + b"e" * 70_000, b"fffffffffffffffff\r\n", b"0x5\r\nhello\r\n0\r\n\r\n"],
)
def test_chunks_that_break_the_rules(server: Served, chunks: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(head(signed(b"", new_id()), "Transfer-Encoding: chunked") + chunks)
        connection.shutdown(socket.SHUT_WR)
        answer = answer_of(b"".join(iter(lambda: connection.recv(65_536), b"")))
    assert problem_of(answer)["status"] in (400, 413)


@pytest.mark.parametrize(
    "lines", [("Transfer-Encoding: chunked", "Content-Length: 5"), ("Content-Length: 5", "Transfer-Encoding: chunked")]
)
def test_transfer_encoding_beside_content_length(server: Served, lines: tuple[str, str]) -> None:
    """What request smuggling is made of: refused, and nothing after it is taken for another request."""
    smuggled = b"0\r\n\r\nGET /health/live HTTP/1.1\r\nHost: h\r\n\r\n"
    raw = server.raw(head(signed(b"", new_id()), *lines), smuggled)
    assert problem_of(answer_of(raw))["status"] == 400
    assert raw.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "line",
    [
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
        "Content-Length: +5",
        "Content-Length: 5, 6",
        "Content-Length: -1",
        "Content-Length: 5\r\nContent-Length: 6",
        "No colon",
        "Bad name: x",
        " folded: x",
        "Expect: the unexpected",
    ],
)
def test_headers_that_break_the_rules(server: Served, line: str) -> None:
    answer = answer_of(server.raw(head(signed(b"", new_id()), line), b"hello"))
    assert problem_of(answer)["status"] in (400, 401, 408, 417, 501)


@pytest.mark.parametrize(
    "first",
    [
        "",
        "\r\n",
        "GET",
        "GET / HTTP/9.9",
        "GET /\x00 HTTP/1.1",
        "get / HTTP/1.1",
        "\xff\xfe",
        "GET " + "x" * 5000 + " HTTP/1.1",
        "\x16\x03\x01\x02\x00",
    ],
)
def test_what_is_no_http(server: Served, first: str) -> None:
    raw = server.raw(first.encode("latin-1") + b"\r\nHost: h\r\n\r\n")
    assert raw == b"" or problem_of(answer_of(raw))["status"] in (400, 404, 405, 414, 501)


def test_1000_headers(server: Served) -> None:
    raw = server.raw(
        head(signed(BODY, new_id()), f"Content-Length: {len(BODY)}", *(f"X-{n}: {n}" for n in range(1000))), BODY
    )
    assert problem_of(answer_of(raw))["status"] == 431


def test_a_header_without_end(server: Served) -> None:
    raw = server.raw(head({}, "X: " + "x" * 1_000_000))
    assert problem_of(answer_of(raw))["status"] == 431


def test_compressed_bodies_are_not_opened(server: Served) -> None:
    assert problem_of(good(server, b"\x1f\x8b" + b"\0" * 100, **{"Content-Encoding": "gzip"}))["status"] == 415


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"listener_id":"a","listener_id":"b"}',
        b'{"a": NaN}',
        b"\xff",
        b'"\\ud800"',
        b"",
        b"[]",
        b"\xef\xbb\xbf{}",
    ],
)
def test_json_that_two_readers_could_read_differently(server: Served, body: bytes) -> None:
    status, _, raw = good(server, body)
    assert (status, json.loads(raw)["data"]["outcome"]) == (400, "rejected")


def test_other_methods(server: Served) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT", "PROPFIND"):
        status, headers, _ = server.send(HOOK, b"", {}, method)
        assert status in (405, 501, 400), method
        assert status != 405 or headers["allow"] == "POST"


def test_a_browsers_form_is_not_taken(server: Served) -> None:
    assert good(server, b"a=b", **{"Content-Type": "application/x-www-form-urlencoded"})[0] == 415


# Proxies


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Forwarded-Proto", "Forwarded", "Via"])
def test_a_token_through_a_proxy_that_was_not_named(server: Served, name: str) -> None:
    assert server.send("/hooks/plain", BODY, BEARER)[0] == 200
    refusal = problem_of(server.send("/hooks/plain", BODY, BEARER | {name: "https"}))
    assert (refusal["status"], refusal["reason"]) == (403, "https_required")


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer",
        "Bearer ",
        f"Basic {TOKEN}",
        TOKEN,
        f"Bearer {TOKEN} x",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        "Bearer " + "x" * 44,
    ],
)
def test_tokens_that_are_not_it(server: Served, authorization: str) -> None:
    assert server.send("/hooks/plain", BODY, BEARER | {"Authorization": authorization})[0] == 401
    assert server.send(f"/hooks/plain?access_token={TOKEN}", BODY, {"Content-Type": "application/json"})[0] == 401


# Time


@pytest.mark.parametrize("part", ["nothing", "first line", "headers", "body", "chunks"])
def test_a_sender_that_drips_is_given_up_on(server: Served, part: str) -> None:
    whole = head(signed(BODY, new_id()), "Content-Length: 50000") + BODY
    chunked = head(signed(b"", new_id()), "Transfer-Encoding: chunked") + b"5\r\nhello\r\nffff\r\nhe"
    start = {"nothing": b"", "first line": b"PO", "headers": whole[:60], "body": whole, "chunks": chunked}[part]
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.1) as connection:
        connection.sendall(start)
        got = b""
        while (received := _received(connection)) != b"":
            got += received or b""
            if received is None and part != "nothing" and not _drips(connection):
                break
    assert got == b"" or problem_of(answer_of(got))["status"] == 408


def _received(connection: socket.socket) -> bytes | None:
    try:
        return connection.recv(65_536)
    except TimeoutError:
        return None
    except ConnectionResetError:
        return b""


def _drips(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"x")
    except OSError:
        return False
    return True


def test_a_sender_that_goes_away(server: Served) -> None:
    for part in (
        b"POST",
        head(signed(BODY, new_id()), "Content-Length: 500"),
        head({}, "Transfer-Encoding: chunked") + b"5\r\nhe",
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(part)
    assert good(server)[0] == 200


# What is public


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/schemas/result/1", "/openapi.json", "/docs"])
def test_pages_that_anyone_may_see_hold_no_secret_and_no_sender(server: Served, path: str) -> None:
    status, _, body = server.send(path, b"", {}, "GET")
    assert status == 200
    assert not _secrets_in(body.decode())
    assert not re.search(rb'"?/hooks/(monitoring|other|plain)', body)
