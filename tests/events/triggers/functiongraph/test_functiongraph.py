"""The handler: settings and credentials are taken where FunctionGraph has them, and what is missing is answered as the trigger wants it."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from events.settings import EventSettings
from events.triggers import functiongraph
from events.triggers.functiongraph import FunctionGraph, handler
from events.triggers.serverless.app import App
from events.triggers.serverless.settings import ServerlessSettings
from events.triggers.serverless.shapes import UnknownEvent
from functions.cloud.emulator.credentials import fake_credentials
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings
from tests.events.triggers.functiongraph.support import LISTS, Context, deployed, sample
from tests.events.triggers.serverless.support import Sunk

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = {"HUAWEICLOUD_SDK_REGION": "cn-north-4"}
SECURITY = {
    "getSecurityAccessKey": "EMULATORTEMPORARY00",
    "getSecuritySecretKey": "emulator-temporary-key-not-a-secret",
    "getSecurityToken": "emulator-security-token-not-a-secret",
}


@pytest.fixture(autouse=True)
def _a_fresh_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(functiongraph, "_functions", [])
    for name in ("HONGYAN_EMULATOR", *(f"HUAWEICLOUD_SDK_{each}" for each in ("AK", "SK", "PROJECT_ID", "REGION"))):
        monkeypatch.delenv(name, raising=False)
    logger = logging.getLogger("hongyan")
    before = (logger.handlers[:], logger.propagate, logger.level)
    yield
    logger.handlers[:], logger.propagate = before[0], before[1]
    logger.setLevel(before[2])


def by_agency() -> tuple[FunctionGraph, App, Sunk]:
    """Return a function whose keys come with each invocation, on an emulator that takes its temporary ones."""
    cloud = CloudSettings(
        region="cn-north-4", project_id=fake_credentials().project_id, emulator="local", temporary_keys=True
    )
    sink = Sunk()
    app = App.make(cloud, EventSettings(), ServerlessSettings(), {}, sink)
    return FunctionGraph(app), app, sink


def test_it_is_built_once_however_many_invocations_are_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    start = threading.Barrier(4)

    def invoke(number: int) -> str:
        start.wait()
        return str(handler({**LISTS, "id": str(number)}, Context())["type"])

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(invoke, range(4))) == {"hongyan.elb.list_members.succeeded"}
    assert len(functiongraph._functions) == 1


def test_a_variable_that_only_the_context_knows_is_read() -> None:
    told = Context(getUserData={"HONGYAN_EMULATOR": "local", "HONGYAN_OPERATION": "elb.list_members"})
    assert handler(LISTS["payload"], told)["type"] == "hongyan.elb.list_members.succeeded"


def test_the_functions_own_project_is_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_REGION", "cn-north-4")
    [settings] = [built(Context(getProjectID="0e" * 16, **SECURITY)).settings]
    assert (settings.project_id, settings.temporary_keys) == ("0e" * 16, True)


def built(context: Context) -> Any:
    """Return the client that the handler makes of this context; nothing is asked of any cloud."""
    with pytest.raises(UnknownEvent):
        handler({}, context)
    return functiongraph._functions[0]._app.client


@pytest.mark.parametrize("named", [{}, {"HUAWEICLOUD_SDK_SECURITY_TOKEN": "fake-token"}])
def test_keys_that_were_set_win_over_the_contexts(monkeypatch: pytest.MonkeyPatch, named: dict[str, str]) -> None:
    keys = {"HUAWEICLOUD_SDK_AK": "FAKEAK", "HUAWEICLOUD_SDK_SK": "fake-sk", "HUAWEICLOUD_SDK_PROJECT_ID": "p"}
    for name, value in {**REGION, **keys, **named}.items():
        monkeypatch.setenv(name, value)
    client = built(Context(getProjectID="other", **SECURITY))
    assert (client.credentials.access_key, client.settings.project_id) == ("FAKEAK", "p")


def test_on_the_emulator_real_keys_are_not_even_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    assert built(Context(**SECURITY)).credentials.access_key == fake_credentials().access_key


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({}, "HUAWEICLOUD_SDK_PROJECT_ID, HUAWEICLOUD_SDK_REGION"),
        ({**REGION, "HUAWEICLOUD_SDK_AK": "FAKEAK"}, "HUAWEICLOUD_SDK_SK"),
        ({"HONGYAN_EMULATOR": "local", "HONGYAN_MARGIN_S": "x"}, "HONGYAN_MARGIN_S"),
        ({"HONGYAN_EMULATOR": "local", "HONGYAN_LOG_LEVEL": "x"}, "HONGYAN_LOG_LEVEL"),
    ],
)
def test_what_is_missing_or_wrong_is_raised_and_mended_later(
    environ: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as wrong:
        for name, value in environ.items():
            wrong.setenv(name, value)
        with pytest.raises(ConfigurationError, match=told):
            handler(sample("smn"), Context())
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    assert handler(sample("timer"), Context()) == {"records": 1, "outcomes": {"succeeded": 1}}


def test_a_stranger_is_not_told_what_is_missing_but_the_log_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = handler(sample("apig"), Context())
    assert answer["statusCode"] == 500
    assert json.loads(answer["body"])["detail"] == "the function's settings are missing or wrong; its log names them"
    [line] = capsys.readouterr().err.splitlines()
    assert "HUAWEICLOUD_SDK_REGION" in json.loads(line)["detail"]


def test_a_function_without_an_agency_is_told_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    function, _, _ = by_agency()
    with pytest.raises(ConfigurationError, match="give it an agency"):
        function.answer(sample("smn"), Context())
    assert function.answer(sample("apig"), Context())["statusCode"] == 500
    assert [line.getMessage() for line in caplog.records] == ["function.unconfigured"] * 2


def test_the_agencys_keys_are_taken_at_each_invocation(caplog: pytest.LogCaptureFixture) -> None:
    function, app, sink = by_agency()
    with caplog.at_level(logging.DEBUG):
        assert function.answer(sample("smn"), Context(**SECURITY))["outcomes"] == {"succeeded": 1}
        kept = app.client.credentials
        function.answer(sample("timer"), Context(**SECURITY))
        assert app.client.credentials is kept
        with pytest.raises(Exception, match="unauthenticated"):
            function.answer(sample("smn"), Context(**{**SECURITY, "getSecuritySecretKey": "another-fake-key"}))
    assert app.client.credentials != kept
    assert sink.outcomes == ["succeeded", "succeeded", "failed"]
    seen = caplog.text + str([line.__dict__ for line in caplog.records]) + repr(app.client.credentials) + repr(app)
    assert not [secret for secret in ("emulator-temporary", "emulator-security", "another-fake") if secret in seen]


def test_a_process_may_serve_several_invocations_whose_keys_change() -> None:
    function, _, sink = by_agency()

    def invoke(number: int) -> str:
        context = Context(**SECURITY, getRequestID=f"request-{number}")
        return str(function.answer(LISTS, context)["data"]["outcome"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(invoke, range(24))) == ["succeeded"] * 24
    assert sink.events == []


@pytest.mark.parametrize("event", [None, "text", b"{}", [1], 5])
def test_an_event_that_is_no_object_is_refused(event: Any) -> None:
    with pytest.raises(UnknownEvent, match=f"not {type(event).__name__}"):
        deployed().answer(event)


def test_an_event_of_no_trigger_names_its_keys() -> None:
    with pytest.raises(UnknownEvent, match="'letter', 'stamp'; known are the events of APIG, SMN"):
        deployed().answer({"stamp": 1, "letter": 2})


@pytest.mark.parametrize("name", ["smn", "kafka", "timer", "dis"])
def test_a_sample_that_says_what_to_run_runs(name: str) -> None:
    function = deployed()
    count = {"kafka": 3, "dis": 2}.get(name, 1)
    assert function.answer(sample(name)) == {"records": count, "outcomes": {"succeeded": count}}
    assert {event.data["trigger"]["kind"] for event in function.sink.events} == {f"functiongraph.{name}"}
    assert len({event.id for event in function.sink.events}) == count


@pytest.mark.parametrize("name", ["smn", "kafka", "dis", "timer"])
def test_a_redelivery_has_the_same_ids(name: str) -> None:
    function = deployed()
    function.answer(sample(name))
    function.answer(sample(name), getRequestID="another")
    ids = [event.id for event in function.sink.events]
    half = len(ids) // 2
    assert sorted(ids[:half]) == sorted(ids[half:])
    assert len(set(ids)) == half
