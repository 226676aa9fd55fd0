"""Each status of the API pages' list is produced over real HTTP by the webhook or by the emulator, and named here."""

from __future__ import annotations

import http.client
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from events.samples import sample
from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.client import Client
from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.server import serving, serving_app
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings
from tests.support import CHANNEL, INSTANCE, PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPResponse

JSON = {"Content-Type": "application/json"}
MEMBERS = f"/v2/{PROJECT}/apigw/instances/{INSTANCE}/vpc-channels/{CHANNEL}/members"
ADD = "/functions/apig.add_members"


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    with serving(Emulator()) as url:
        yield url


@pytest.fixture(scope="module")
def webhook(emulator: str) -> Iterator[str]:
    client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": emulator}), retry=Retry(sleep=lambda _: None))
    with serving_app(create_app(events=EventSettings(body_limit=65_536), client=client)) as url:
        yield url


@contextmanager
def asked(
    url: str, method: str, path: str, body: Any = b"", headers: dict[str, str] | None = None
) -> Iterator[HTTPResponse]:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, path, body, JSON if headers is None else headers)
        yield connection.getresponse()
    finally:
        connection.close()


def status(*request: Any, **more: Any) -> int:
    with asked(*request, **more) as response:
        body = response.read()
        assert not body.lstrip().startswith(b"<")
        return response.status


def fault(emulator: str, **what: Any) -> None:
    with asked(emulator, "POST", "/_emulator/faults", json.dumps(what).encode()) as response:
        assert response.status < 300, response.read()


def test_200_ok_the_result_event(webhook: str) -> None:
    assert status(webhook, "POST", "/functions/elb.list_members", sample("elb.list_members")) == 200


def test_201_created_by_the_emulators_apig(emulator: str, webhook: str) -> None:
    with asked(webhook, "POST", ADD, sample("apig.add_members")) as response:
        assert json.loads(response.read())["data"]["upstream"]["status"] == 201


def test_202_accepted_is_not_taken_for_done(emulator: str, webhook: str) -> None:
    fault(emulator, status=202, body={})
    with asked(webhook, "POST", ADD, sample("apig.add_members")) as response:
        data = json.loads(response.read())["data"]
    assert (data["upstream"]["status"], data["outcome"]) == (202, "unknown")


def test_204_no_content_for_an_empty_batch(webhook: str) -> None:
    assert status(webhook, "POST", "/events", b"[]", {"Content-Type": "application/cloudevents-batch+json"}) == 204


def test_400_bad_request(webhook: str) -> None:
    assert status(webhook, "POST", ADD, b"{}") == 400


def test_401_unauthorized_by_the_emulator(emulator: str) -> None:
    assert status(emulator, "POST", MEMBERS, b"{}") == 401


def test_403_forbidden(webhook: str) -> None:
    assert status(webhook, "POST", "/functions/elb.list_members", b'{"project_id": "other", "listener_id": "l"}') == 403


def test_404_not_found(webhook: str) -> None:
    assert status(webhook, "GET", "/nothing") == 404


def test_405_method_not_allowed(webhook: str) -> None:
    with asked(webhook, "PUT", ADD, b"{}") as response:
        assert (response.status, "POST" in (response.getheader("Allow") or "")) == (405, True)


def test_409_conflict(emulator: str, webhook: str) -> None:
    fault(emulator, status=409, body={"error_code": "APIG.3491", "error_msg": "m"})
    assert status(webhook, "POST", ADD, sample("apig.add_members")) == 409


def test_413_request_entity_too_large_whether_announced_or_not(webhook: str) -> None:
    assert status(webhook, "POST", ADD, b" " * 65_537) == 413
    parts = (b" " * 1024 for _ in range(1024))
    assert status(webhook, "POST", ADD, parts) == 413


def test_415_unsupported_media_type(webhook: str) -> None:
    assert status(webhook, "POST", ADD, b"{}", {"Content-Type": "text/plain"}) == 415


def test_500_internal_server_error(emulator: str, webhook: str) -> None:
    fault(emulator, status=500, body={"error_code": "APIG.9999", "error_msg": "m"})
    assert status(webhook, "POST", ADD, sample("apig.add_members")) == 500


def test_501_not_implemented_by_both(emulator: str, webhook: str) -> None:
    assert status(webhook, "POST", "/functions/elb.nothing", b"{}") == 501
    assert status(emulator, "GET", "/v9/nothing") == 501


def test_503_service_unavailable_with_retry_after(emulator: str, webhook: str) -> None:
    fault(emulator, kind="throttle_429", times=4)
    with asked(webhook, "POST", ADD, sample("apig.add_members")) as response:
        assert (response.status, response.getheader("Retry-After")) == (503, "60")
