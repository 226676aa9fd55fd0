"""Rules for how a function is watched: where its log is, and that somebody hears of dead letters, of age and of doubts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.deployment.template import attribute, refers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.deployment.deployed import Deployed
    from events.deployment.tree import Mistake, Spot

DOUBT = '{ $.event = "record.unknown" }'
_ALARM = "AWS::CloudWatch::Alarm"


def logged(one: Deployed) -> Iterator[Mistake]:
    """Require a log of this template that is not kept for ever, and an alarm on each write in doubt that is found there."""
    spot = one.function / "LoggingConfig" / "LogGroup"
    log = one.template.properties(refers(spot.value), "AWS::Logs::LogGroup")
    if log is None:
        yield spot.wrong("its log is no log group of this template", "write LogGroup: !Ref <log>, and that log group")
        return
    if (log / "RetentionInDays").value is None:
        yield (log / "RetentionInDays").wrong("logs are kept and paid for for ever", "write RetentionInDays: 30")
    filters = [each for _, each in one.template.of_type("AWS::Logs::MetricFilter") if _finds_doubts(each, spot)]
    counted = [transformation for each in filters for transformation in (each / "MetricTransformations").each()]
    alarms = [each for _, each in one.template.of_type(_ALARM)]
    if not filters:
        yield spot.wrong("nobody hears of a write in doubt", f"add a metric filter of this log for {DOUBT}")
    elif not any(_same(metric, alarm) for metric in counted for alarm in alarms):
        yield filters[0].wrong("no alarm looks at what this counts", "add an alarm on its metric")


def alarmed(one: Deployed) -> Iterator[Mistake]:
    """Require an alarm on dead letters, and one on messages that wait too long."""
    for _, queue in one.queues():
        for watched, metric, told in (
            (one.dead_letters(queue), "ApproximateNumberOfMessagesVisible", "nobody hears of these dead letters"),
            (queue, "ApproximateAgeOfOldestMessage", "nobody hears of messages that wait too long"),
        ):
            if watched and not any(_watches(alarm, watched, metric) for _, alarm in one.template.of_type(_ALARM)):
                yield watched.wrong(told, f"add an alarm on {metric} of {watched.where}")


def _finds_doubts(found: Spot, log: Spot) -> bool:
    return ((found / "FilterPattern").value, (found / "LogGroupName").value) == (DOUBT, log.value)


def _same(metric: Spot, alarm: Spot) -> bool:
    pairs = (("MetricName", "MetricName"), ("MetricNamespace", "Namespace"))
    return all((metric / its).value == (alarm / other).value for its, other in pairs)


def _watches(alarm: Spot, queue: Spot, metric: str) -> bool:
    names = [attribute((each / "Value").value, "QueueName") for each in (alarm / "Dimensions").each()]
    return (alarm / "MetricName").value == metric and queue.where in names
