"""The handler itself: which trigger an event is of, what becomes of it without settings, and how it starts."""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from events.triggers import aws_lambda
from events.triggers.aws_lambda import handler
from events.triggers.serverless.shapes import EventRefused, UnknownEvent
from functions.cloud.errors import ConfigurationError
from tests.events.triggers.aws_lambda.support import (
    ASKS,
    LIST,
    Context,
    Function,
    asks,
    body_of,
    eventbridge,
    failed,
    http,
    message,
    rest,
    sns,
    sqs,
    url,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[4]
LOG = logging.getLogger("hongyan")


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A process that was not invoked yet, and whose settings are complete."""
    before = LOG.handlers[:], LOG.propagate, LOG.level
    monkeypatch.setattr(aws_lambda, "_functions", [])
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    yield monkeypatch
    LOG.handlers[:], LOG.propagate, LOG.level = before


def unset(deployed: pytest.MonkeyPatch) -> None:
    for name in ("AK", "SK", "PROJECT_ID", "REGION", "USERNAME", "PASSWORD", "DOMAIN_NAME"):
        deployed.delenv(f"HUAWEICLOUD_SDK_{name}", raising=False)
    deployed.delenv("HONGYAN_EMULATOR")


def test_every_trigger_gets_the_result_of_the_same_function() -> None:
    function = Function()
    for event in (sqs(), sns(asks()), eventbridge()):
        assert function(event) is not None
    results = [event.data["result"] for event in function.sink.events]
    kinds = [event.data["trigger"]["kind"] for event in function.sink.events]
    for event in (rest(), http(), url()):
        data = body_of(function(event))["data"]
        results.append(data["result"])
        kinds.append(data["trigger"]["kind"])
    data = function(ASKS)["data"]
    assert all(result == data["result"] for result in results)
    assert [*kinds, data["trigger"]["kind"]] == [
        "sqs",
        "sns",
        "eventbridge",
        "apigateway.rest",
        "apigateway.http",
        "lambda.url",
        "lambda.invoke",
    ]


@pytest.mark.parametrize("event", [None, [], "text", 1, True])
def test_an_event_that_is_no_object_is_refused(event: Any) -> None:
    with pytest.raises(UnknownEvent, match="must be a JSON object"):
        Function(operation=LIST)(event)


NOTIFIED = sns(asks())["Records"][0]


@pytest.mark.parametrize(
    ("records", "told"),
    [
        ([message(), {}], "Records[1].eventSource must be aws:sqs"),
        ([message(), message(eventSource="aws:s3")], "Records[1].eventSource must be aws:sqs"),
        ([message(eventSource=None), message()], "Records[0].eventSource must be aws:sqs"),
        ([message(), NOTIFIED], "Records[1].eventSource must be aws:sqs"),
        ([NOTIFIED, message()], "Records[0].eventSource must be aws:sqs"),
        ([NOTIFIED, {"EventSource": "aws:ses"}], "Records[1].EventSource must be aws:sns"),
        ([message(), "text"], "Records[1] must be an object"),
        ([NOTIFIED, None], "Records[1] must be an object"),
    ],
)
def test_records_of_two_sources_are_refused_and_none_is_run(records: list[Any], told: str) -> None:
    function = Function()
    with pytest.raises(EventRefused, match=f"^{re.escape(told)}"):
        function({"Records": records})
    assert not function.emulator.journal


@pytest.mark.parametrize("context", [None, object(), Context(None, None, None), Context(1, [], "soon")])
def test_a_context_that_tells_nothing(context: Any) -> None:
    function = Function()
    assert function.lambda_.answer(ASKS, context)["data"]["outcome"] == "succeeded"
    assert failed(function.lambda_.answer(sqs(), context)) == []


def test_the_function_is_made_once_by_whoever_comes_first(deployed: pytest.MonkeyPatch) -> None:
    deployed.setattr(sys, "stdout", io.StringIO())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: handler(sqs(), Context()), range(8)))
    assert answers == [{"batchItemFailures": []}] * 8
    assert len(aws_lambda._functions) == 1


def test_result_events_are_lines_of_standard_output(
    deployed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert handler(sqs(message(), message(asks({}), "m-2")), Context()) == {
        "batchItemFailures": [{"itemIdentifier": "m-2"}]
    }
    out, err = capsys.readouterr()
    assert sorted(json.loads(line)["data"]["outcome"] for line in out.splitlines()) == ["rejected", "succeeded"]
    assert {json.loads(line)["event"] for line in err.splitlines()} == {"call.finished", "record.failed"}


@pytest.mark.parametrize("event", [rest(), http(), url(), http("/health/live", method="GET")])
def test_without_settings_a_request_is_answered_500(
    deployed: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], event: Any
) -> None:
    unset(deployed)
    answer = handler(event, Context())
    problem = body_of(answer)
    assert (answer["statusCode"], problem["kind"]) == (500, "internal")
    assert problem["detail"] == "the function's settings are missing or wrong; its log names them"
    [line] = capsys.readouterr().err.splitlines()
    assert json.loads(line)["event"] == "function.unconfigured"
    assert "HUAWEICLOUD_SDK_AK" in json.loads(line)["detail"]


@pytest.mark.parametrize("event", [sqs(), sns(asks()), eventbridge(), ASKS, None, {}])
def test_without_settings_everything_else_is_kept_by_its_queue(deployed: pytest.MonkeyPatch, event: Any) -> None:
    unset(deployed)
    with pytest.raises(ConfigurationError, match="HUAWEICLOUD_SDK_AK"):
        handler(event, Context())


def test_settings_that_are_mended_are_read_again(deployed: pytest.MonkeyPatch) -> None:
    deployed.setenv("HONGYAN_MARGIN_S", "soon")
    assert handler(http(), Context())["statusCode"] == 500
    deployed.delenv("HONGYAN_MARGIN_S")
    assert handler(http(), Context())["statusCode"] == 200


def test_it_starts_without_the_web_and_without_what_few_functions_need() -> None:
    unwanted = ["flask", "werkzeug", "click", "apispec", "gunicorn", "sqlite3", "tomli", "tomllib", "cryptography"]
    ours = ["events.senders", "events.triggers.hooks", "events.signatures", "functions.cloud.emulator"]
    code = f"import sys, events.triggers.aws_lambda\nfound = {unwanted + ours} & sys.modules.keys()\nassert not found, found"
    code = code.replace("[", "{").replace("]", "}")
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stderr) == (0, "")
