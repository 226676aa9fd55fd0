from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from events.cli import demo
from events.cli.demo_steps import CAUSE, LOST, TRACEPARENT, Letter, steps
from events.cli.demo_tour import Tour
from events.cli.post import NoReply, Reply
from tests.events.cli.support import lines, on_terminal, run

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.slow


def test_a_pipe_gets_one_result_event_a_line_and_nothing_else() -> None:
    result = run("demo")
    events = lines(result)
    assert (result.exit_code, result.stderr) == (0, "")
    assert [event["data"]["outcome"] for event in events] == [
        *["succeeded"] * 4, "rejected", "failed", "succeeded", "unknown", "succeeded",
    ]  # fmt: skip
    shown = [event["data"]["operation"].partition(".")[0] for event in events[:4]]
    assert shown == ["elb", "apig", "csbs", "vpcep"]
    rejected, failed, throttled, lost, binary = (event["data"] | event for event in events[4:])
    assert rejected["error"]["fields"].keys() == {"members", "colour"}
    assert "weight" in rejected["error"]["fields"]["members"]["0"]
    assert failed["error"]["code"] == "APIG.3023"
    assert throttled["upstream"]["attempts"] == 2
    assert lost["upstream"]["attempts"] == 1
    assert (binary["causationid"], binary["traceparent"]) == (CAUSE, TRACEPARENT)


def test_a_person_gets_a_tour() -> None:
    seen, code = on_terminal("demo", columns=80)
    assert code == 0
    plain = re.sub(r"\x1b\[\d+m", "", seen)
    assert plain != seen
    for step in steps():
        assert step.title in plain
    for outcome in ("✓ succeeded", "✗ rejected", "✗ failed", "? unknown"):
        assert outcome in plain
    assert "2 attempts" in plain
    assert f"✓ {LOST} was sent once" in plain
    assert f"< ce-causationid: {CAUSE}" in plain
    assert re.search(r"All 10 steps went as they should, in \d\.\d s", plain)
    assert all(hint in plain for hint in ("make run", "send elb.list_members", "README.md"))
    # What is to be pasted is not broken where a shell would not have it.
    whole = ("$ curl", "-H 'ce-traceparent")
    assert not [line for line in plain.splitlines() if len(line) > 80 and not line.lstrip().startswith(whole)]


def test_the_tour_has_no_colour_where_none_is_wanted() -> None:
    seen, code = on_terminal("demo", columns=120, NO_COLOR="1", HONGYAN_EMULATOR="", HUAWEICLOUD_SDK_AK="FAKEKEY")
    assert code == 0
    assert "\x1b" not in seen


def test_what_is_shown_as_curl_is_a_command() -> None:
    plain, _ = on_terminal("demo", "--json")
    assert len([json.loads(line) for line in plain.splitlines()]) == 9
    seen, _ = on_terminal("demo", columns=70, NO_COLOR="1")
    payloads = re.findall(r"-d '(\{.*?\})'\n", seen, re.DOTALL)
    assert len(payloads) == 6
    for payload in payloads:
        assert json.loads(payload)


def played(only: Iterable[Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(demo, "steps", lambda: list(only))
    return run("demo")


def letter(**changes: Any) -> Letter:
    known: dict[str, Any] = {"title": "A title", "why": "", "operation": "elb.list_members", "outcome": "succeeded"}
    return Letter(**known | changes)


@pytest.mark.parametrize(
    "step",
    [
        letter(outcome="failed"),
        letter(proof=lambda event: event["data"]["upstream"]["attempts"] == 7),
        letter(operation="elb/other", payload={}),
        *[step for step in steps() if not isinstance(step, Letter)],
    ],
)
def test_what_is_not_as_expected_exits_with_1(step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    result = played([step], monkeypatch)
    assert result.exit_code == 1
    assert result.stderr == f"not as expected: step 1, {step.title}\n"


def test_a_letter_without_a_reply_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(*_: object, **__: object) -> Reply:
        raise NoReply("nobody answered")

    monkeypatch.setattr(demo, "ask", silent)
    result = played([letter()], monkeypatch)
    assert result.exit_code == 1
    assert result.stderr == "nobody answered\nnot as expected: step 1, A title\n"


def test_a_tour_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "for_people", lambda **_: True)
    monkeypatch.setenv("COLUMNS", "90")
    result = run("demo")
    assert result.exit_code == 0
    assert "All 10 steps went as they should" in result.stdout


def test_a_tour_says_when_a_write_was_sent_twice(capsys: pytest.CaptureFixture[str]) -> None:
    [look] = [step for step in steps() if not isinstance(step, Letter)]
    Tour().found("http://127.0.0.1:9", [{"method": "POST", "path": "/x"}] * 2, look)
    assert f"✗ {LOST} was sent 2 times" in capsys.readouterr().out
