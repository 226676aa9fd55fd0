"""What is sent: messages for every operation by one seed, some in groups, some twice, some that can never succeed."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, replace
from typing import Any

from events import strictjson
from events.dispatch import Call
from events.queues import Message
from events.queues.calls import to_message
from functions.cloud.deadline import Deadline
from tests.support import INSTANCE, LISTENER

OPERATIONS = ("apig.add_members", "csbs.check_restorable", "elb.list_members", "vpcep.update_connection_descriptions")
WRITE = OPERATIONS[0]
"""The one operation that must not be repeated blindly."""
READ = OPERATIONS[2]
DEADLY = "deadly"

CHANNELS = [f"{0xC4A00000 + number:032x}" for number in range(8)]
MISSING_CHANNEL = "0" * 32
SERVICE = "5e41ce00-0000-4000-8000-000000000001"
CONNECTIONS = [f"c044ec70-0000-4000-8000-{number:012x}" for number in range(24)]

# Shares of all messages. A group has so many, each some places behind the one before.
_POISON, _TWICE, _GROUPED, _BARE = 0.03, 0.05, 0.10, 0.10
_GROUP = 4
# How far behind the first the second copy of a message comes.
_BEHIND = (1, 1, 1, 5, 40, 200)

# Written down here once more, so that a change of it is noticed: redelivered events would have new ids.
_RESULTS = uuid.UUID("5f0f3f0e-6f1c-5d0b-9a55-6f6b1f6c7a11")


@dataclass(frozen=True, slots=True)
class Sent:
    """One message: `key` is an address that its requests to the cloud bear, and `event_id` the id that its result must have.

    `poison` says why it can never succeed, "" when it can; DEADLY: whoever asks the cloud for it is killed.
    """

    number: int
    message: Message
    operation: str
    key: str
    event_id: str
    poison: str = ""

    @property
    def id(self) -> str:
        return self.message.id


@dataclass(frozen=True, slots=True)
class Plan:
    """All messages once, in the order of their first publication, and all that is published, some of them twice."""

    sent: list[Sent]
    published: list[Sent]


def plan(seed: int, count: int, run: str, queue: str, *, deadly: bool = False) -> Plan:
    """Return what a run sends: `count` messages and second copies; `run` makes their ids its own, `queue` is the queue's name.

    `deadly`: one of the messages kills its workers.
    """
    draw = random.Random(f"{seed} plan")
    groups = {place: f"g{rank // _GROUP}" for rank, place in enumerate(sorted(_some(draw, count, _GROUPED)))}
    poison = _some(draw, count, _POISON)
    kinds = {place: list(_POISONS)[rank % len(_POISONS)] for rank, place in enumerate(sorted(poison))}
    bare = set(_some(draw, count, _BARE))
    made = _Maker(run, queue, draw)
    sent = [
        made.poison(number, kinds[number], groups.get(number))
        if number in kinds
        else made.message(number, OPERATIONS[number % len(OPERATIONS)], groups.get(number), bare=number in bare)
        for number in range(count)
    ]
    if deadly:
        chosen = _deadly(seed, sent)
        sent[chosen.number] = replace(chosen, poison=DEADLY)
    return Plan(sent, _with_copies(sent, _some(draw, count, _TWICE), draw))


def _deadly(seed: int, sent: list[Sent]) -> Sent:
    """Return the first read that can be deadly: one of a group for half of all seeds."""
    grouped = random.Random(f"{seed} deadly").random() < 0.5
    fit = (one for one in sent if one.operation == READ and not one.poison)
    return min(fit, key=lambda one: (bool(one.message.group) != grouped, one.number))


def _some(draw: random.Random, count: int, share: float) -> list[int]:
    return draw.sample(range(count), max(1, round(count * share)))


def _with_copies(sent: list[Sent], twice: list[int], draw: random.Random) -> list[Sent]:
    behind = {number: number + draw.choice(_BEHIND) + 0.5 for number in twice}
    copies = [(place, sent[number]) for number, place in behind.items()]
    placed = sorted([*((float(one.number), one) for one in sent), *copies], key=lambda pair: pair[0])
    return [one for _, one in placed]


class _Maker:
    def __init__(self, run: str, queue: str, draw: random.Random) -> None:
        self._run = run
        self._source = f"/torture/{run}"
        self._queue_source = f"/hongyan/queue/{queue}"
        self._draw = draw

    def message(self, number: int, operation: str, group: str | None, *, bare: bool) -> Sent:
        payload = _PAYLOADS[operation](_key(number), self._draw)
        return self._asking(number, operation, payload, group, bare=bare)

    def poison(self, number: int, kind: str, group: str | None) -> Sent:
        body, key = _POISONS[kind], _key(number)
        if isinstance(body, bytes):
            message = Message(body, f"{self._run}-{number}", _grouped(group))
            return Sent(number, message, "unknown", key, self._event_id(message.id, "unknown", bare=True), kind)
        operation, payload = body
        return self._asking(number, operation, _filled(payload, key), group, bare=False, poison=kind)

    def _asking(
        self, number: int, operation: str, payload: Any, group: str | None, *, bare: bool, poison: str = ""
    ) -> Sent:
        its_id = f"{self._run}-{number}"
        if bare:
            body = strictjson.dumps({"operation": operation, "payload": payload, "id": its_id})
            message = Message(body, its_id, _grouped(group))
        else:
            extensions = {"partitionkey": group} if group else {}
            call = Call(
                operation, payload, Deadline.after(1), self._source, "torture", id=its_id, extensions=extensions
            )
            message = to_message(call, "hongyan")
        return Sent(number, message, operation, _key(number), self._event_id(its_id, operation, bare=bare), poison)

    def _event_id(self, its_id: str, operation: str, *, bare: bool) -> str:
        """Return the id that a result has by the contract: of source, id and operation, whatever our code says."""
        source = self._queue_source if bare else self._source
        return str(uuid.uuid5(_RESULTS, f"{source}\n{its_id}\n{operation}"))


def _key(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _grouped(group: str | None) -> str | None:
    return f"/{group}" if group else None


def _filled(payload: Any, key: str) -> Any:
    """Return a payload with the key in the place of KEY."""
    return strictjson.loads(strictjson.dumps(payload).replace(b"KEY", key.encode()))


def _add_members(key: str, draw: random.Random) -> dict[str, Any]:
    member = {"host": key, "weight": draw.randint(1, 100)}
    return {"instance_id": INSTANCE, "vpc_channel_id": draw.choice(CHANNELS), "members": [member]}


def _check_restorable(key: str, draw: random.Random) -> dict[str, Any]:
    target = {"resource_type": "OS::Nova::Server", "resource_id": key, "volumes": []}
    return {"check_restorable": [{"checkpoint_item_id": "8986ce68-3da7-4d29-9cc2-1921e9504975", "target": target}]}


def _list_members(key: str, draw: random.Random) -> dict[str, Any]:
    return {"listener_id": LISTENER, "id": key, "limit": draw.randint(1, 50)}


def _update_descriptions(key: str, draw: random.Random) -> dict[str, Any]:
    connection = {"id": draw.choice(CONNECTIONS), "description": key}
    return {"vpc_endpoint_service_id": SERVICE, "connections": [connection]}


_PAYLOADS = dict(zip(OPERATIONS, (_add_members, _check_restorable, _list_members, _update_descriptions), strict=True))
_MEMBERS = [{"host": "KEY"}]
_POISONS: dict[str, bytes | tuple[str, Any]] = {
    "payload": (WRITE, {"instance_id": INSTANCE, "vpc_channel_id": CHANNELS[0], "members": []}),
    "operation": ("torture.explode", {"key": "KEY"}),
    "channel": (WRITE, {"instance_id": INSTANCE, "vpc_channel_id": MISSING_CHANNEL, "members": _MEMBERS}),
    "json": b'{"specversion": "1.0", "id": ',
    "utf-8": b'{"operation": "elb.list_members", "payload": "\xff\xfe"}',
}
