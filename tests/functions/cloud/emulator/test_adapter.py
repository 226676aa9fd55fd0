import io
from collections.abc import Iterator

import pytest
import requests

from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator, Request, Response
from tests.functions.cloud.emulator.support import APIG_MEMBERS, ELB_MEMBERS, emulator, token


class Recorder(Emulator):
    """Keeps what reached the core."""

    seen: Request

    def handle(self, request: Request, **_: object) -> Response:
        self.seen = request
        return Response(200, {"X-A": "1"}, b"{}")


def sent(url: str, **given: object) -> Request:
    cloud = Recorder()
    with requests.Session() as session:
        session.mount("https://", EmulatorAdapter(cloud))
        session.request("POST", url, **given)  # type: ignore[arg-type]
    return cloud.seen


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://cloud.test/a", "cloud.test"),
        ("https://cloud.test:443/a", "cloud.test"),
        ("https://cloud.test:8443/a", "cloud.test:8443"),
    ],
)
def test_the_host_is_what_http_client_would_send(url: str, host: str) -> None:
    assert sent(url).header("host") == host


def test_a_host_given_by_the_caller_stays() -> None:
    assert sent("https://cloud.test/a", headers={"host": "elsewhere"}).header("Host") == "elsewhere"


def test_path_and_query_stay_as_they_are() -> None:
    request = sent("https://cloud.test/a%2Fb/%E9?x=1%202&x=3#part")
    assert (request.method, request.target) == ("POST", "/a%2Fb/%E9?x=1%202&x=3")
    assert sent("https://cloud.test").target == "/"


def pieces() -> Iterator[bytes]:
    yield b"ab"
    yield b"c"


@pytest.mark.parametrize("data", ["abc", b"abc", pieces(), io.BytesIO(b"abc")])
def test_any_kind_of_body_arrives(data: object) -> None:
    assert sent("https://cloud.test/a", data=data).body == b"abc"


def test_a_missing_body_is_empty() -> None:
    assert sent("https://cloud.test/a").body == b""


def test_bytes_in_headers_are_text() -> None:
    request = sent("https://cloud.test/a", headers={"X-A": "鸿".encode()})
    assert (request.header("x-a") or "").encode("latin-1").decode() == "鸿"


def test_the_body_can_be_streamed() -> None:
    cloud = emulator()
    with requests.Session() as session:
        session.mount("http://", EmulatorAdapter(cloud))
        headers = {"X-Auth-Token": token(cloud)}
        with session.get(f"http://cloud.test{ELB_MEMBERS}", headers=headers, stream=True) as answer:
            first = answer.raw.read1(10, decode_content=True)
            rest = b"".join(answer.raw.stream(7, decode_content=True))
    assert first.startswith(b"[")
    assert len(first + rest) == int(answer.headers["Content-Length"])


def test_a_request_can_be_sent_without_a_session() -> None:
    cloud = emulator()
    request = requests.Request("POST", f"http://cloud.test{APIG_MEMBERS}", json={}).prepare()
    adapter = EmulatorAdapter(cloud)
    answer = adapter.send(request)
    assert (answer.status_code, answer.request, answer.json()["error_code"]) == (401, request, "APIGW.0301")
    adapter.close()
