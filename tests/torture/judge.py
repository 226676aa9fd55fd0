"""What a run shows: each property that must hold, counted, with the messages that break it; and figures beside them."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.torture.cloud import key_of, took_effect
from tests.torture.plan import OPERATIONS, WRITE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from functions.cloud.emulator.journal import Entry
    from tests.torture.evidence import Evidence
    from tests.torture.plan import Sent
    from tests.torture.sink import Told

LOUD = ("message.crashed", "call.crashed", "traceback")
"""Events of logs that tell of a fault of ours."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`figures` by name, in the order of the table; `broken`: what must not be, in words, by property."""

    transport: str
    figures: dict[str, int]
    broken: dict[str, list[str]]
    seconds: float


def judge(evidence: Evidence) -> Verdict:
    """Return what a run shows; it is judged by what cloud, sink and queue have seen, never by what our own code says of itself."""
    case = _Case(evidence)
    broken = {
        "lost": case.lost(),
        "no one id": case.not_one_id(),
        "outcomes differ": case.outcomes_differ(),
        "written twice": case.written_twice(),
        "twice, untold": case.twice_untold(),
        "told, not done": case.told_not_done(),
        "dead letters amiss": case.letters_amiss(),
        "out of order": case.out_of_order(),
        "left behind": case.left_behind(),
        "ended badly": case.ended_badly(),
    }
    return Verdict(evidence.transport, case.figures(), broken, evidence.seconds)


class _Case:
    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.sent = evidence.plan.sent
        self.told: dict[str, list[Told]] = defaultdict(list)
        for one in evidence.told:
            self.told[one.id].append(one)
        self.effects: dict[str, list[Entry]] = defaultdict(list)
        for entry in evidence.journal:
            if took_effect(entry):
                self.effects[key_of(entry.service, entry.query, entry.body)].append(entry)

    def lost(self) -> list[str]:
        """Messages whose result never came to be taken."""
        return _named(one for one in self.sent if not any(told.taken for told in self.told[one.event_id]))

    def not_one_id(self) -> list[str]:
        """Messages that have results under other ids than the one that they must have, and results of nobody's."""
        ids = defaultdict(set)
        for told in self.evidence.told:
            ids[told.cause].add(told.id)
        known = {one.id for one in self.sent}
        strange = [f"a result of {cause}, which nobody sent" for cause in ids if cause not in known]
        return [*_named(one for one in self.sent if ids[one.id] != {one.event_id}), *strange]

    def outcomes_differ(self) -> list[str]:
        """Messages of which two different stories were told."""
        return _named(one for one in self.sent if len({told.outcome for told in self.told[one.event_id]}) > 1)

    def written_twice(self) -> list[str]:
        """Writes that must not be repeated, and took effect more than once."""
        return _named(one for one in self.sent if self._writes(one) > 1)

    def twice_untold(self) -> list[str]:
        """Those of them that were not told of as `unknown`."""
        return _named(one for one in self.sent if self._writes(one) > 1 and "unknown" not in self._outcomes(one))

    def told_not_done(self) -> list[str]:
        """Messages that were told of as done although the cloud has not done it."""
        done = (one for one in self.sent if self._outcomes(one) & {"succeeded", "partial"})
        return _named(one for one in done if one.poison or not self.effects[one.key])

    def letters_amiss(self) -> list[str]:
        """Dead letters of messages that are no poison, poison that has none, and letters without the result of their message."""
        letters = {letter.message.id: letter for letter in self.evidence.letters}
        amiss = [f"{one.id} ({one.poison or 'good'})" for one in self.sent if (one.id in letters) != bool(one.poison)]
        for one in self.sent:
            letter = letters.get(one.id)
            if letter and (letter.event or {}).get("id") != one.event_id:
                amiss.append(f"{one.id}: its letter has another result beside it")
        return amiss

    def out_of_order(self) -> list[str]:
        """Messages of a group that began before the one ahead of them had ended, which is when its result was first taken."""
        begun: dict[str, float] = {}
        for at, key in self.evidence.asked:
            begun.setdefault(key, at)
        ahead: dict[str, Sent] = {}
        found = []
        for one in self.sent:
            if group := one.message.group:
                before, ahead[group] = ahead.get(group), one
                starts = begun.get(one.key, min((told.at for told in self.told[one.event_id]), default=float("inf")))
                if before and starts < self._ended(before):
                    found.append(f"{one.id} before {before.id}")
        return found

    def left_behind(self) -> list[str]:
        """What is in the queue in the end, and why the run was given up."""
        counts = self.evidence.counts
        left = {
            name: getattr(counts, name)
            for name in ("ready", "delayed", "in_flight")
            if counts and getattr(counts, name)
        }
        told = [f"{count} {name}" for name, count in left.items()]
        return [*told, *([] if counts else ["the queue was not reached"]), *filter(None, [self.evidence.cut])]

    def ended_badly(self) -> list[str]:
        """Workers that ended by themselves or not when asked to, kills that never came, faults of ours in logs, bad signatures."""
        evidence = self.evidence
        found = [f"{name} ended with {code} after SIGTERM" for name, code, _ in evidence.ends if code]
        found += evidence.unasked
        found += [f"{event} {evidence.said[event]} times in the logs" for event in LOUD if evidence.said[event]]
        if evidence.kills.total() < evidence.wanted:
            found.append(f"{evidence.kills.total()} kills of {evidence.wanted}")
        return found + ([f"{evidence.unsigned} events not signed as they must be"] if evidence.unsigned else [])

    def figures(self) -> dict[str, int]:
        """What is neither right nor wrong."""
        evidence, unknown = self.evidence, [one for one in self.sent if "unknown" in self._outcomes(one)]
        puts = Counter(key for key, entries in self.effects.items() for entry in entries if entry.method == "PUT")
        taken = [told for told in evidence.told if told.taken]
        return {
            "messages": len(self.sent),
            "published": len(evidence.plan.published),
            "poison": sum(bool(one.poison) for one in self.sent),
            "dead": len({letter.message.id for letter in evidence.letters}),
            "kills": evidence.kills.total(),
            "hits": evidence.hits,
            "deaths by a message": evidence.deaths,
            "stops": len(evidence.ends),
            "ms of the longest stop": round(1000 * max((end[2] for end in evidence.ends), default=0)),
            "requests": len(evidence.journal),
            "faults": evidence.faults.total(),
            "events": len(evidence.told),
            "refused": evidence.refused.total(),
            "taken again": len(taken) - len({told.id for told in taken}),
            "unknown": len(unknown),
            "unknown, done": sum(bool(self.effects[one.key]) for one in unknown),
            f"unknown {WRITE}": sum(one.operation == WRITE for one in unknown),
            "read back": len({told.id for told in evidence.told if told.read_back}),
            "found undone": evidence.said["call.undone"],
            "PUTs repeated": sum(count - 1 for count in puts.values()),
            "groups": len({one.message.group for one in self.sent if one.message.group}),
        }

    def _writes(self, one: Sent) -> int:
        return len(self.effects[one.key]) if one.operation == OPERATIONS[0] else 0

    def _outcomes(self, one: Sent) -> set[str]:
        return {told.outcome for told in self.told[one.event_id]}

    def _ended(self, one: Sent) -> float:
        return min((told.at for told in self.told[one.event_id] if told.taken), default=float("inf"))


def _named(messages: Iterable[Sent]) -> list[str]:
    return [f"{one.id} ({one.poison or one.operation})" for one in messages]
