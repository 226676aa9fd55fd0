from __future__ import annotations

import pytest

from tests.events.deployment.support import OWN, mistakes, only

TARGET = f"deadLetterTargetArn: !GetAtt {OWN}DeadLetters.Arn"
REDRIVE = f"      RedrivePolicy: {{{TARGET}, maxReceiveCount: !Ref MaxReceives}}\n"
POLICY = f"{OWN}Queue.RedrivePolicy"
KNOWN = "Globals.Function.Environment.Variables.HONGYAN_MAX_RECEIVES"
SAYS = "        HONGYAN_MAX_RECEIVES: !Ref MaxReceives\n"


@pytest.mark.parametrize(
    ("old", "new", "where", "wrong"),
    [
        ("    MinValue: 5\n", "    MinValue: 1\n", "Parameters.MaxReceives.MinValue", "given up too soon"),
        ("    MinValue: 5\n", "", "Parameters.MaxReceives.MinValue", "given up too soon"),
        (SAYS, "", "HONGYAN_MAX_RECEIVES", "must know the queue's maxReceiveCount"),
        (SAYS, '        HONGYAN_MAX_RECEIVES: "5"\n', KNOWN, "must know the queue's maxReceiveCount"),
        (REDRIVE, REDRIVE.replace("!Ref MaxReceives", "9"), KNOWN, "must know the queue's maxReceiveCount"),
        ("      SqsManagedSseEnabled: true\n", "", f"{OWN}Queue.SqsManagedSseEnabled", "not encrypted"),
        ("Period: 1209600\n      SqsManagedSseEnabled: true", "Period: 1209600", f"{OWN}DeadLetters", "not encrypted"),
        ("Period: 1209600", "Period: 345600", f"{OWN}DeadLetters.MessageRetentionPeriod", "gone before anybody"),
        ("      MessageRetentionPeriod: 1209600\n", "", f"{OWN}DeadLetters", "gone before anybody"),
        ("StackName}-apig-add_members-", "StackName}-a-", "", ""),
        (
            "AccountId}:${AWS::StackName}-apig",
            "AccountId}:${AWS::StackName}-x",
            f"{OWN}DeadLetters.RedriveAllowPolicy",
            "not among",
        ),
    ],
)
def test_a_queue_is_held_to_its_dead_letters(old: str, new: str, where: str, wrong: str) -> None:
    found = mistakes((old, new))
    assert bool(found) == bool(wrong)
    assert all(where in mistake.where and wrong in mistake.wrong for mistake in found)


@pytest.mark.parametrize(
    ("new", "where"),
    [
        ("", f"{POLICY}.deadLetterTargetArn"),
        (
            f"      RedrivePolicy: {{{TARGET.replace('DeadLetters', 'Queue')}, maxReceiveCount: !Ref MaxReceives}}\n",
            POLICY,
        ),
        ("      RedrivePolicy: {deadLetterTargetArn: !Sub other, maxReceiveCount: !Ref MaxReceives}\n", POLICY),
    ],
)
def test_what_is_given_up_is_kept_elsewhere(new: str, where: str) -> None:
    place, told = only((REDRIVE, new))
    assert place.startswith(where)
    assert "without dead letters" in told


@pytest.mark.parametrize("count", ["4", "0", "!Ref Other", "five"])
def test_a_message_is_tried_five_times(count: str) -> None:
    [first, *_] = mistakes((REDRIVE, REDRIVE.replace("!Ref MaxReceives", count)))[-1:]
    found = mistakes((REDRIVE, REDRIVE.replace("!Ref MaxReceives", count)))
    assert (f"{POLICY}.maxReceiveCount", "given up too soon") in {(each.where, each.wrong[-17:]) for each in found}
    assert first.line > 0


def test_numbers_may_be_written_in_both_places() -> None:
    alone = [("maxReceiveCount: !Ref MaxReceives}", "maxReceiveCount: 6}")] * 2
    assert mistakes(*alone, (SAYS, '        HONGYAN_MAX_RECEIVES: "6"\n')) == []


def test_dead_letters_belong_to_one_queue() -> None:
    found = mistakes((TARGET, "deadLetterTargetArn: !GetAtt ElbListMembersDeadLetters.Arn"))
    shared = [mistake for mistake in found if "the same dead letters" in mistake.wrong]
    assert [mistake.where for mistake in shared] == [
        f"{POLICY}.deadLetterTargetArn",
        "ElbListMembersQueue.RedrivePolicy.deadLetterTargetArn",
    ]


def test_a_fifo_queue_has_fifo_dead_letters() -> None:
    fifo = ("MessageRetentionPeriod: 1209600\n", "MessageRetentionPeriod: 1209600\n      FifoQueue: true\n")
    place, told = only(fifo)
    assert place == f"{OWN}DeadLetters.FifoQueue"
    assert "both be FIFO" in told


def test_another_key_encrypts_as_well() -> None:
    assert mistakes(("SqsManagedSseEnabled: true", "KmsMasterKeyId: alias/aws/sqs")) == []


def test_dead_letters_may_take_from_every_queue() -> None:
    named = (
        "        redrivePermission: byQueue\n        sourceQueueArns:\n"
        '          - !Sub "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}-apig-add_members"\n'
    )
    assert mistakes((named, "        redrivePermission: allowAll\n")) == []
