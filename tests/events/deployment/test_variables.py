from __future__ import annotations

import pytest

from tests.events.deployment.support import mistakes, only

VARIABLES = "Globals.Function.Environment.Variables"
REFERENCE = '!Sub "{{resolve:secretsmanager:${CloudSecret}:SecretString:sk}}"'


@pytest.mark.parametrize("name", ["REGION: !Ref CloudRegion", "PROJECT_ID: !Ref CloudProjectId", f"SK: {REFERENCE}"])
def test_the_function_knows_whose_cloud_it_acts_on(name: str) -> None:
    found = mistakes((f"        HUAWEICLOUD_SDK_{name}\n", ""))
    assert {mistake.where.rpartition(".")[2] for mistake in found} == {f"HUAWEICLOUD_SDK_{name.partition(':')[0]}"}
    assert all(mistake.wrong == "the function does not start without it" for mistake in found)


@pytest.mark.parametrize(
    "written",
    [
        "hunter2",
        "!Ref CloudSecret",
        '"{{resolve:ssm:/hongyan/sk}}"',
        '"{{resolve:ssm-secure:/hongyan/sk}}"',
        '"a{{resolve:secretsmanager:x}}"',
        "[hunter2]",
    ],
)
def test_a_secret_is_a_reference_and_is_not_repeated(written: str) -> None:
    where, wrong = only((REFERENCE, written))
    assert where == f"{VARIABLES}.HUAWEICLOUD_SDK_SK"
    assert "Secrets Manager" in wrong
    assert "hunter2" not in "".join(mistake.fix + mistake.wrong for mistake in mistakes((REFERENCE, written)))


@pytest.mark.parametrize("name", ["HUAWEICLOUD_SDK_PASSWORD", "HUAWEICLOUD_SDK_SECURITY_TOKEN"])
def test_every_secret_is(name: str) -> None:
    where, _ = only(("        HONGYAN_LOG_LEVEL", f"        {name}: hunter2\n        HONGYAN_LOG_LEVEL"))
    assert where == f"{VARIABLES}.{name}"


def test_a_reference_may_be_written_out() -> None:
    assert mistakes((REFERENCE, '"{{resolve:secretsmanager:hongyan/cloud:SecretString:sk}}"')) == []


def test_nothing_is_deployed_on_the_emulator() -> None:
    found = mistakes(("        HONGYAN_LOG_LEVEL", "        HONGYAN_EMULATOR: local\n        HONGYAN_LOG_LEVEL"))
    assert [mistake.where for mistake in found] == [f"{VARIABLES}.HONGYAN_EMULATOR"]


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ('HONGYAN_DEADLINE_S: "20"', "HONGYAN_DEADLINE_S: soon", "HONGYAN_DEADLINE_S"),
        ("Default: hongyan\n", "Default: Hong Yan\n", "HONGYAN_EVENT_PREFIX"),
        ("Default: 32\n", "Default: 4096\n", "HONGYAN_POOL_SIZE"),
        ("Default: dead-letter\n", "Default: drop\n", "HONGYAN_ON_FINAL_FAILURE"),
        ("        HONGYAN_LOG_LEVEL", "        HONGYAN_MARGIN_S: 100\n        HONGYAN_LOG_LEVEL", "HONGYAN_MARGIN_S"),
        ("!Ref CloudProjectId", '!Sub "${EventPrefix} of mine"', "HUAWEICLOUD_SDK_PROJECT_ID"),
    ],
)
def test_the_code_takes_every_value_that_is_known(old: str, new: str, name: str) -> None:
    where, wrong = only((old, new))
    assert where == f"{VARIABLES}.{name}"
    assert wrong.startswith("the function refuses this when it starts: ")
