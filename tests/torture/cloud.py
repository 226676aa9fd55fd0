"""The emulated cloud of a run: seeded for its messages, slow and faulty by the run's seed, one door for each worker."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from functions.cloud.emulator.app import create_app
from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.fault_spec import Fault, read_fault
from functions.cloud.emulator.faults import Faults
from functions.cloud.emulator.seed import Seed, default_seed
from tests.torture.moments import ACTED, ASKED, Moments
from tests.torture.plan import CHANNELS, CONNECTIONS, SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from functions.cloud.emulator.journal import Entry
    from functions.cloud.emulator.message import Request, Response

SHARE = 0.10
"""Of all calls, so many go wrong."""
_USUAL_S = (0.003, 0.03)

# A 500 that passes, by service. What never passes is poison, and there is some of it among the messages.
_PASSING = {"apig": "APIG.9005", "csbs": "CSBS.1001", "elb": "ELB.1201", "vpcep": "EndPoint.0001"}
_FAULTS = {"drop": 18, "drop_after": 18, "truncate": 14, "delay": 10, "502": 10, "503": 10, "500": 10, "not_json": 10}
# Rare: each pauses an operation of one worker for a second.
_THROTTLES = {"throttle_429": 1, "throttle_400": 1, "throttle_500": 1}


class Weather(Faults):
    """Faults at random, the same for the same request of a message whenever it comes: by the seed, its key and its number."""

    def __init__(self, services: frozenset[str], seed: int) -> None:
        super().__init__(services)
        self.now = threading.local()
        self.chosen: Counter[str] = Counter()
        self._seed = seed
        self._known = services
        self._count: Counter[str] = Counter()
        self._counting = threading.Lock()

    def take(self, method: str, path: str, service: str | None) -> Fault | None:
        """Return what goes wrong with the request that this thread is at."""
        name = f"{method} {self.now.key or path}"
        with self._counting:
            self._count[name] += 1
            draw = random.Random(f"{self._seed} {name} {self._count[name]}")
        if draw.random() >= SHARE:
            return None
        kinds = {**_FAULTS, **_THROTTLES}
        if method == "GET" or service == "csbs":
            # By the contract an answer to a read that nobody can read is a failure for good.
            del kinds["not_json"]
        kind = draw.choices(list(kinds), list(kinds.values()))[0]
        with self._counting:
            self.chosen[kind] += 1
        return read_fault(_spec(kind, service or "", draw), self._known)


def _spec(kind: str, service: str, draw: random.Random) -> dict[str, Any]:
    if kind == "delay":
        return {"kind": "delay", "delay_s": round(draw.uniform(0.05, 0.4), 3)}
    if kind.startswith("throttle"):
        return {"kind": kind, "headers": {"Retry-After": "1"}}
    if kind == "500":
        return {"status": 500, "body": {"error": {"code": _PASSING[service], "message": "later"}}}
    return {"status": int(kind)} if kind.isdigit() else {"kind": kind}


class Cloud(Emulator):
    """The emulator of one run, to which some keys are deadly.

    `asked` are the requests of messages in the order of their coming: when (monotonic) and the key.
    """

    def __init__(self, seed: int, deadly: frozenset[str] = frozenset()) -> None:
        super().__init__(_planted())
        self.deadly = deadly
        self.weather = Weather(frozenset(_PASSING), seed)
        self.faults = self.weather
        self.asked: list[tuple[float, str]] = []
        self._seen: dict[str, Entry] = {}

    def handle(self, request: Request, *, wait: Callable[[float], object] | None = None) -> Response:
        """Answer as the emulator does, a little later."""
        key = _key_of_request(request)
        if key:
            self.asked.append((time.monotonic(), key))
        self.weather.now.key = key
        time.sleep(random.uniform(*_USUAL_S))
        return super().handle(request, wait=wait)

    def collect(self) -> list[Entry]:
        """Return the whole journal so far; called often, so that nothing falls out of what the emulator keeps."""
        for entry in self.journal:
            self._seen.setdefault(entry.request_id, entry)
        return list(self._seen.values())


def key_of(service: str | None, query: str, body: Any) -> str:
    """Return the key of the message that a request is made for, "" for one that reads back what was written, or no request of ours."""
    try:
        if service == "elb":
            return dict(pair.split("=", 1) for pair in query.split("&"))["id"]
        if service == "csbs":
            return str(body["check_restorable"][0]["target"]["resource_id"])
        return str(body["members"][0]["host"] if service == "apig" else body["connections"][0]["description"])
    except (LookupError, TypeError, ValueError):
        return ""


def took_effect(entry: Entry) -> bool:
    """Whether the cloud did what a request asked for, whatever became of its answer."""
    done = 201 if (entry.service, entry.method) == ("apig", "POST") else 200
    return entry.fault == "drop_after" if entry.status is None else entry.status == done


def door(cloud: Cloud, worker: Callable[[], str], moments: Moments, kill: Callable[[], None]) -> WSGIApplication:
    """Return the application that one worker's requests come to; `worker` names whose they are at the time, `kill` kills it."""
    app = create_app(cloud)

    def answer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        name = worker()
        if key_of("elb", environ.get("QUERY_STRING", ""), None) in cloud.deadly:
            kill()
        with moments.under_way(name):
            moments.pass_by(name, ASKED)
            answered = app(environ, start_response)
            moments.pass_by(name, ACTED)
            return answered

    return answer


def _key_of_request(request: Request) -> str:
    service = next((name for name, mark in _MARKS.items() if mark in request.path), None)
    try:
        body = json.loads(request.body) if request.body else None
    except ValueError:
        body = None
    return key_of(service, request.target.partition("?")[2], body)


_MARKS = {"apig": "/apigw/", "csbs": "/providers/", "elb": "/elbaas/", "vpcep": "/vpc-endpoint-services/"}


def _planted() -> Seed:
    seed = default_seed()
    seed["apig"]["instances"][0]["channels"] += [{"id": one, "type": "ip", "members": []} for one in CHANNELS]
    pattern = seed["vpcep"]["services"][0]["connections"][0]
    seed["vpcep"]["services"].append({"id": SERVICE, "connections": [{**pattern, "id": one} for one in CONNECTIONS]})
    return seed
