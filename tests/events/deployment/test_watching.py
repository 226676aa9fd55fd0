from __future__ import annotations

import pytest

from tests.events.deployment.support import OWN, mistakes, only

LOG = "      LoggingConfig: {LogGroup: !Ref " + OWN + "Log}\n"


@pytest.mark.parametrize(
    ("old", "new", "where", "wrong"),
    [
        (LOG, "", "Globals.Function.LoggingConfig", "no log group"),
        ('add_members", RetentionInDays: !Ref LogDays}', 'add_members"}', f"{OWN}Log.RetentionInDays", "for ever"),
        ('"record.unknown" }', '"record.other" }', f"{OWN}Function.LoggingConfig.LogGroup", "a write in doubt"),
        (
            f"LogGroupName: !Ref {OWN}Log",
            "LogGroupName: !Ref ApiLog",
            f"{OWN}Function.LoggingConfig.LogGroup",
            "in doubt",
        ),
        (", MetricName: UnknownOutcomes,", ", MetricName: Other,", f"{OWN}Unknown", "no alarm looks"),
        (f"Value: !GetAtt {OWN}DeadLetters.QueueName", "Value: other", f"{OWN}DeadLetters", "these dead letters"),
        (
            "MetricName: ApproximateNumberOfMessagesVisible",
            "MetricName: Other",
            f"{OWN}DeadLetters",
            "these dead letters",
        ),
        ("MetricName: ApproximateAgeOfOldestMessage", "MetricName: Other", f"{OWN}Queue", "wait too long"),
    ],
)
def test_a_function_is_watched(old: str, new: str, where: str, wrong: str) -> None:
    place, told = only((old, new))
    assert place.startswith(where)
    assert wrong in told


def test_without_the_alarm_nobody_hears_of_any_doubt() -> None:
    found = mistakes(("      MetricName: UnknownOutcomes\n", "      MetricName: Other\n"))
    assert [mistake.wrong for mistake in found] == ["no alarm looks at what this counts"] * 2
