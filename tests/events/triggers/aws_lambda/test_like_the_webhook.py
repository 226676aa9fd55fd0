"""The same requests to the web server and through each gateway: the same status, the same kind, the same body."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from events.samples import sample
from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.client import Client
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.settings import CloudSettings
from tests.events.triggers.aws_lambda.support import EVENT, LIST, Function, http, rest, url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY = hashlib.sha256(b"fake secret of a sender").digest()
SENDERS = """
[senders.monitoring]
scheme = "standard"
secrets = [{ env = "MONITORING" }]
operations = ["elb.list_members"]
"""
ENVIRON = {"MONITORING": "whsec_" + base64.b64encode(KEY).decode()}
LIMIT = 4096
JSON = {"Content-Type": "application/json"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
BINARY = {"ce-specversion": "1.0", "ce-id": "e1", "ce-source": "/monitor", "ce-type": f"hongyan.{LIST}"}
BODY = sample(LIST)
RUN = f"/functions/{LIST}"
HOOK = "/hooks/monitoring"
_ids = itertools.count()


@dataclass
class Asked:
    """A request, and what it is answered by both; `alike`: in the very same words."""

    path: str
    status: int
    kind: str | None = None
    body: bytes = BODY
    headers: dict[str, str] = field(default_factory=lambda: JSON)
    method: str = "POST"
    alike: bool = True


def signed(body: bytes = BODY, id_: str = "", key: bytes = KEY, at: int = 0) -> dict[str, str]:
    id_ = id_ or f"d-{next(_ids)}"
    moment = int(time.time()) + at
    mac = hmac.digest(key, f"{id_}.{moment}.".encode() + body, "sha256")
    signature = "v1," + base64.b64encode(mac).decode()
    return JSON | {"webhook-id": id_, "webhook-timestamp": str(moment), "webhook-signature": signature}


def event_with(**changes: Any) -> bytes:
    return json.dumps({name: value for name, value in (EVENT | changes).items() if value is not None}).encode()


# The web server's routing has words of its own for 404 and 405, and no security headers on its health. As long as nobody may sign, it takes
# unsigned requests; a function does so when its gateway has proved who calls.
UNSIGNED = {
    "a payload": Asked(RUN, 200),
    "with a key": Asked(RUN, 200, headers=JSON | {"Idempotency-Key": "k1"}),
    "a key that cannot be": Asked(RUN, 400, "invalid_argument", headers=JSON | {"Idempotency-Key": "a b"}),
    "answered in binary": Asked(RUN, 200, headers=JSON | {"Accept": "application/json"}),
    "no JSON": Asked(RUN, 400, body=b"{"),
    "no payload": Asked(RUN, 400, body=b"{}"),
    "not UTF-8": Asked(RUN, 400, body=b"\xff\xfe"),
    "nothing": Asked(RUN, 400, body=b""),
    "an unknown operation": Asked("/functions/elb.no_such", 501),
    "too large": Asked(RUN, 413, "invalid_argument", body=b"x" * (LIMIT + 1)),
    "no JSON type": Asked(RUN, 415, "invalid_argument", headers={"Content-Type": "text/plain"}),
    "compressed": Asked(RUN, 415, "invalid_argument", headers=JSON | {"Content-Encoding": "gzip"}),
    "a GET": Asked(RUN, 405, "invalid_argument", b"", {}, "GET", alike=False),
    "a GET for events": Asked("/events", 405, "invalid_argument", b"", {}, "GET", alike=False),
    "no path": Asked("/nowhere", 404, "not_found", alike=False),
    "an event": Asked("/events", 200, body=event_with(), headers=STRUCTURED),
    "an event of binary mode": Asked("/events", 200, headers=JSON | BINARY),
    "an event without an id": Asked("/events", 400, "invalid_argument", event_with(id=None), STRUCTURED),
    "an event of another type": Asked("/events", 501, None, event_with(type="com.example.a"), STRUCTURED),
    "no event": Asked("/events", 415, "invalid_argument"),
    "a batch": Asked("/events", 200, None, b"[" + event_with() + b"]", BATCH),
    "an empty batch": Asked("/events", 204, None, b"[]", BATCH),
    "alive": Asked("/health/live", 200, None, b"", {}, "GET", alike=False),
    "ready": Asked("/health/ready", 200, None, b"", {}, "GET", alike=False),
    "the health of a POST": Asked("/health/live", 405, "invalid_argument", alike=False),
}
SIGNED: dict[str, Callable[[], list[Asked]]] = {
    "signed": lambda: [Asked(HOOK, 200, headers=signed())],
    "a wrong signature": lambda: [Asked(HOOK, 401, "unauthenticated", headers=signed(key=b"x" * 32))],
    "no signature": lambda: [Asked(HOOK, 401, "unauthenticated")],
    "too old": lambda: [Asked(HOOK, 401, "unauthenticated", headers=signed(at=-3600))],
    "replayed": lambda: [
        Asked(HOOK, 200, headers=(headers := signed())),
        Asked(HOOK, 401, "unauthenticated", headers=headers),
    ],
    "sent again": lambda: [
        Asked(HOOK, 200, headers=signed(id_=(again := f"again-{next(_ids)}"))),
        Asked(HOOK, 200, headers=signed(id_=again, at=1)),
    ],
    "a signed payload that is wrong": lambda: [Asked(HOOK, 400, body=b"{}", headers=signed(b"{}"))],
    "nobody": lambda: [Asked("/hooks/nobody", 404, "not_found", headers=signed())],
    "a GET of a hook": lambda: [Asked(HOOK, 405, "invalid_argument", b"", {}, "GET")],
    "a hook that is sent too much": lambda: [Asked(HOOK, 413, "invalid_argument", b"x" * (LIMIT + 1))],
    "unsigned": lambda: [Asked(RUN, 403, "permission_denied", alike=False)],
    "an unsigned event": lambda: [Asked("/events", 403, "permission_denied", event_with(), STRUCTURED, alike=False)],
}


def said(status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], Any]:
    """Return an answer without what differs from one call to the next, ids and times, nor who called by which trigger."""
    fresh = {"content-length", "ce-id", "ce-time", "ce-causationid", "ce-correlationid"}
    lower = {name.lower(): value for name, value in headers.items() if name.lower() not in fresh}
    return status, lower, _plain(json.loads(body)) if body else None


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if not isinstance(value, dict):
        return value
    fresh = {"id", "time", "causationid", "correlationid", "request_id", "duration_ms"}
    plain = {name: _plain(inner) for name, inner in value.items() if name not in fresh or "address" in value}
    if "trigger" in plain:
        plain["trigger"] = {name: each for name, each in plain["trigger"].items() if name not in ("kind", "sender")}
    return plain


class Web:
    """The web server's application, on an emulator of its own."""

    def __init__(self, senders: str) -> None:
        client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}))
        client.transport._session.mount("http://", EmulatorAdapter(Emulator()))
        app = create_app(events=EventSettings(body_limit=LIMIT, senders=senders), client=client)
        self.http = app.test_client()

    def said(self, asked: Asked) -> tuple[int, dict[str, str], Any]:
        response = self.http.open(asked.path, method=asked.method, data=asked.body, headers=asked.headers)
        return said(response.status_code, dict(response.headers), response.data)


class Gateway:
    """A function behind a gateway, on an emulator of its own; with senders nobody is proved by the gateway itself."""

    def __init__(self, request: Any, senders: str) -> None:
        self.request = request
        self.proved = not senders
        self.function = Function(events=EventSettings(body_limit=LIMIT, senders=senders), environ=ENVIRON)

    def said(self, asked: Asked) -> tuple[int, dict[str, str], Any]:
        event = self.request(asked.path, base64.b64encode(asked.body).decode(), isBase64Encoded=True)
        event |= {"headers": asked.headers, "multiValueHeaders": None}
        context = event["requestContext"]
        if not self.proved:
            context |= {"authorizer": None, "identity": {}}
        if "http" in context:
            context["http"] |= {"method": asked.method}
        else:
            event["httpMethod"] = asked.method
        answer = self.function(event)
        raw = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
        return said(answer["statusCode"], answer["headers"], raw)


def compare(web: Web, gateway: Gateway, asked: Asked) -> None:
    ours, theirs = gateway.said(asked), web.said(asked)
    assert ours[0] == theirs[0] == asked.status
    assert (ours[2].get("kind") if isinstance(ours[2], dict) else None) == asked.kind
    if asked.alike:
        assert ours == theirs
    else:
        assert ours[1]["content-type"] == theirs[1]["content-type"]
        assert ours[2] | {"detail": ""} == theirs[2] | {"detail": ""}


@pytest.fixture(scope="module")
def unsigned() -> tuple[Web, list[Gateway]]:
    return Web(""), [Gateway(request, "") for request in (rest, http, url)]


@pytest.fixture(scope="module")
def senders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Web, list[Gateway]]]:
    file = tmp_path_factory.mktemp("senders") / "senders.toml"
    file.write_text(SENDERS)
    file.chmod(0o600)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MONITORING", ENVIRON["MONITORING"])
        yield Web(str(file)), [Gateway(request, str(file)) for request in (rest, http, url)]


@pytest.mark.parametrize("name", UNSIGNED)
def test_an_unsigned_request(unsigned: tuple[Web, list[Gateway]], name: str) -> None:
    web, gateways = unsigned
    for gateway in gateways:
        compare(web, gateway, UNSIGNED[name])


@pytest.mark.parametrize("name", SIGNED)
def test_a_request_to_a_server_with_senders(senders: tuple[Web, list[Gateway]], name: str) -> None:
    web, gateways = senders
    for gateway in gateways:
        for asked in SIGNED[name]():
            compare(web, gateway, asked)
