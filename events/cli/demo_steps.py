"""The steps of the demo: what each sends, what should become of it, and why it is worth a look."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from events.samples import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
"""The example of the W3C's Trace Context, section 3.2.2."""

CAUSE = "letter-1"
"""The id of the one CloudEvent that the demo sends."""

LOST = "192.168.2.77"
"""The backend whose adding is answered into the void."""


def _any(_event: Mapping[str, Any]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Letter:
    """A request to the webhook and the outcome it should have.

    `payload` None stands for the operation's sample; `fault` is what the emulator is told to do to the next call;
    `binary` sends a CloudEvent in binary mode; `proof` looks at the result event as JSON for more than its outcome.
    """

    title: str
    why: str
    operation: str
    outcome: str
    payload: Mapping[str, Any] | None = None
    fault: Mapping[str, Any] | None = None
    binary: bool = False
    proof: Callable[[Mapping[str, Any]], bool] = _any

    @property
    def body(self) -> bytes:
        """The payload as it is sent."""
        return sample(self.operation) if self.payload is None else json.dumps(self.payload).encode()


@dataclass(frozen=True, slots=True)
class Look:
    """A question to the emulator's journal: how often was adding the backend `host` asked for? It should be once."""

    title: str
    why: str
    host: str = LOST


def steps() -> list[Letter | Look]:
    """Return the steps in their order."""
    return [*_answered(), *_refused(), *_disturbed(), _as_cloudevent()]


def _answered() -> list[Letter]:
    return [
        Letter(
            "Who serves this listener?",
            "A payload is posted to a function; one cloud call later, a result event comes back.",
            "elb.list_members",
            "succeeded",
        ),
        Letter(
            "Put a backend behind an API gateway",
            "Another service answers in another shape; backends look the same in every result.",
            "apig.add_members",
            "succeeded",
        ),
        Letter(
            "Could this backup be restored?",
            "A question that changes nothing. A no would be an answer too, not an error.",
            "csbs.check_restorable",
            "succeeded",
        ),
        Letter(
            "Say what two connections are for",
            "The cloud answers in another order than it was asked; answers are matched by id.",
            "vpcep.update_connection_descriptions",
            "succeeded",
        ),
    ]


def _refused() -> list[Letter]:
    known = json.loads(sample("apig.add_members"))
    return [
        Letter(
            "Two mistakes, both named",
            "A wrong payload never leaves this machine, and each mistake in it is named.",
            "apig.add_members",
            "rejected",
            payload={**known, "members": [{"host": "192.168.2.26", "weight": 101}], "colour": "blue"},
            proof=lambda event: {"members", "colour"} <= event["data"]["error"]["fields"].keys(),
        ),
        Letter(
            "The cloud says no",
            "A channel that does not exist. The error keeps the cloud's own code.",
            "apig.add_members",
            "failed",
            payload={**known, "vpc_channel_id": "00000000000000000000000000000000"},
            proof=lambda event: event["data"]["error"]["code"] == "APIG.3023",
        ),
    ]


def _disturbed() -> list[Letter | Look]:
    known, listener = json.loads(sample("apig.add_members")), json.loads(sample("elb.list_members"))
    return [
        Letter(
            "Too many requests, and then not",
            "The cloud throttles once and asks for a second of patience. The wait is real, and kept to.",
            "elb.list_members",
            "succeeded",
            payload={"listener_id": listener["listener_id"], "health_status": "ABNORMAL"},
            fault={"kind": "throttle_429", "match": {"service": "elb"}, "headers": {"Retry-After": "1"}},
            proof=lambda event: bool(event["data"]["upstream"]["attempts"] == 2),
        ),
        Letter(
            "An answer is lost",
            "The write arrives, and the connection breaks before the answer. Nobody guesses: it is unknown.",
            "apig.add_members",
            "unknown",
            payload={**known, "members": [{"host": LOST, "weight": 1}]},
            fault={"kind": "drop_after", "match": {"service": "apig"}},
        ),
        Look("Was it sent twice?", "The emulator keeps a journal of what reached it: the write stands there once."),
    ]


def _as_cloudevent() -> Letter:
    return Letter(
        "A CloudEvent, in and out",
        "In binary mode the attributes are headers and the body is the payload, both ways. The trace goes on.",
        "csbs.check_restorable",
        "succeeded",
        binary=True,
        proof=lambda event: (event["causationid"], event["traceparent"]) == (CAUSE, TRACEPARENT),
    )
