"""Helpers of the emulator's tests: a clock to turn by hand, ids of the API pages, a caller with a token."""

import copy
import json
from dataclasses import dataclass, field
from typing import Any

from functions.cloud.emulator.core import Emulator, Request, Response
from functions.cloud.emulator.seed import Seed, default_seed

PROJECT = "0605767a3300d5762fb7c0186d9e1779"
OTHER_PROJECT = "0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e"
LISTENER = "65093734fb966b3d70f6af26cc63e125"
INSTANCE = "b1e4a54f8c9d4a6d9d5a2f3c7e6b5a41"
IP_CHANNEL = "56a7d7358e1b42459c9d730d65b14e59"
ECS_CHANNEL = "105c6902457144a4820dff8b1ad63331"
PROVIDER = "fc4d5750-22e7-4798-8a46-f48f62c4c1da"
SERVICE = "813d9300-8473-405b-bfcd-f711117bad65"
FAILED_SERVICE = "924ea411-9584-416c-a0de-082228cbe76f"

ELB_MEMBERS = f"/v1.0/{PROJECT}/elbaas/listeners/{LISTENER}/members"
APIG_MEMBERS = f"/v2/{PROJECT}/apigw/instances/{INSTANCE}/vpc-channels/{IP_CHANNEL}/members"
CSBS_ACTION = f"/v1/{PROJECT}/providers/{PROVIDER}/resources/action"
VPCEP_DESCRIPTION = f"/v1/{PROJECT}/vpc-endpoint-services/{SERVICE}/connections/description"


@dataclass
class Clock:
    """Time that passes only when told to, or when something sleeps."""

    now: float = 1_650_000_000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def emulator(clock: Clock | None = None, seed: Seed | None = None, **options: Any) -> Emulator:
    hands = clock or Clock()
    return Emulator(seed, clock=hands, sleep=hands.sleep, **options)


def seed_copy() -> Seed:
    return copy.deepcopy(default_seed())


def login(**scope: Any) -> dict[str, Any]:
    """Body of a token request of the seed's user, for the page's project unless another scope is given."""
    user = {
        "name": "emulator-user",
        "password": "emulator-password-not-a-secret",
        "domain": {"name": "emulator-domain"},
    }
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, "scope": scope or {"project": {"id": PROJECT}}}}


def send(cloud: Emulator, method: str, target: str, body: Any = None, **headers: str) -> Response:
    """Send a body, as JSON unless it is bytes already."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    given = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return cloud.handle(Request(method, target, given, content))


def token(cloud: Emulator, **scope: Any) -> str:
    return send(cloud, "POST", "/v3/auth/tokens?nocatalog=true", login(**scope)).headers["X-Subject-Token"]


def call(cloud: Emulator, method: str, target: str, body: Any = None) -> tuple[int, Any]:
    """Send with a fresh token; return the status and the JSON of the answer."""
    response = send(cloud, method, target, body, X_Auth_Token=token(cloud))
    return response.status, json.loads(response.body)
