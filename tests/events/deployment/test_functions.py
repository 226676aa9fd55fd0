from __future__ import annotations

import pytest

from tests.events.deployment.support import OWN, mistakes, only

ROLE = f"      Role: !GetAtt {OWN}Role.Arn\n"
OWN_QUEUE = f"                Resource: !GetAtt {OWN}Queue.Arn\n"


@pytest.mark.parametrize(
    ("old", "new", "where", "wrong"),
    [
        ("aws_lambda.handler", "aws_lambda.main", "Globals.Function.Handler", "not our handler"),
        ("hongyan-lambda.zip", "other.zip", "Globals.Function.CodeUri", "not the package"),
        ("python3.13", "python3.9", "Globals.Function.Runtime", "does not run on this"),
        ("python3.13", "python3.14", "Globals.Function.Runtime", "does not run on this"),
        ("    Architectures: [arm64]\n", "", f"{OWN}Function.Architectures", "one architecture"),
        ("[arm64]", "[arm64, x86_64]", "Globals.Function.Architectures", "one architecture"),
        ("[arm64]", "[riscv]", "Globals.Function.Architectures", "one architecture"),
        ("Timeout: 29", "Timeout: soon", "Globals.Function.Timeout", "no number of seconds"),
        ('"20"', '"29"', "Globals.Function.Environment.Variables.HONGYAN_DEADLINE_S", "stopped after 29 s"),
        (ROLE, "", f"{OWN}Function.Role", "reaches every queue"),
        (ROLE, "      Role: arn:aws:iam::123456789012:role/all\n", f"{OWN}Function.Role", "reaches every queue"),
        (
            "      Policies:\n",
            "      ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonSQSFullAccess]\n      Policies:\n",
            f"{OWN}Role.ManagedPolicyArns",
            "more than this function needs",
        ),
        (OWN_QUEUE, '                Resource: "*"\n', "Resource", "on everything"),
        (OWN_QUEUE, '                Resource: ["*"]\n', "Resource", "on everything"),
    ],
)
def test_a_function_is_held_to_what_runs_it(old: str, new: str, where: str, wrong: str) -> None:
    found = mistakes((old, new))
    assert found[0].where.endswith(where)
    assert wrong in found[0].wrong
    assert len({mistake.wrong for mistake in found}) == 1


def test_what_globals_get_wrong_is_told_once() -> None:
    assert len(mistakes(("python3.13", "python2.7"))) == 1


@pytest.mark.parametrize("runtime", ["python3.10", "python3.11", "python3.12"])
def test_every_python_of_the_project_may_run_it(runtime: str) -> None:
    assert mistakes(("python3.13", runtime)) == []


def test_one_function_may_have_its_own() -> None:
    assert mistakes((ROLE, ROLE + "      Runtime: python3.12\n")) == []


def test_a_statement_alone_is_one_too() -> None:
    listed = "            Statement:\n              - Effect: Allow\n                Action: [sqs:ReceiveMessage, sqs:DeleteMessage"
    alone = "            Statement:\n                Effect: Allow\n                Action: [sqs:ReceiveMessage, sqs:DeleteMessage"
    log = (
        "              - Effect: Allow\n                Action: [logs:CreateLogStream, logs:PutLogEvents]\n"
        f"                Resource: !GetAtt {OWN}Log.Arn\n"
    )
    where, wrong = only((listed, alone), (log, ""), (OWN_QUEUE, '                Resource: "*"\n'))
    assert where.endswith("Statement.Resource")
    assert "everything" in wrong


def test_what_is_denied_may_be_everything() -> None:
    denied = '              - {Effect: Deny, Action: "sqs:SendMessage", Resource: "*"}\n'
    statements = "            Statement:\n              - Effect: Allow\n"
    assert mistakes((statements, statements.replace("              - ", denied + "              - "))) == []


def test_a_call_ends_before_the_gateway_gives_up() -> None:
    longer = (("Timeout: 29", "Timeout: 60"), ('"20"', '"30"'))
    visible = ("VisibilityTimeout: 180", "VisibilityTimeout: 361")
    where, wrong = only(*longer, visible, visible)
    assert where.endswith("HONGYAN_DEADLINE_S")
    assert "gives up after 30 s" in wrong


def test_without_a_deadline_of_its_own_a_call_takes_fifteen_seconds() -> None:
    where, wrong = only(('        HONGYAN_DEADLINE_S: "20"\n', ""), ("Timeout: 29", "Timeout: 15"))
    assert where == "Globals.Function.Timeout"
    assert "a call may take 15 s" in wrong


def test_a_function_without_a_timeout_is_stopped_after_three_seconds() -> None:
    where, wrong = only(("    Timeout: 29\n", ""))
    assert where.endswith("HONGYAN_DEADLINE_S")
    assert "after 3 s" in wrong


def test_a_timeout_may_be_a_parameter() -> None:
    parameter = ("Parameters:\n  CloudRegion", "Parameters:\n  Seconds: {Type: Number, Default: 29}\n  CloudRegion")
    assert mistakes(parameter, ("Timeout: 29", "Timeout: !Ref Seconds")) == []
