from __future__ import annotations

import json
from typing import Any

import pytest

from events.cli.invoked import Invoked, show_emitted, show_ended, show_line
from events.triggers.serverless.whole import TryAgain


def ended(answer: Any = None, error: Exception | None = None, seconds: float = 1.0) -> Invoked:
    return Invoked(answer, error, seconds, 3.0)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (ended({"batchItemFailures": []}), ""),
        (ended({"records": 1}), ""),
        (ended([]), ""),
        (ended({"statusCode": 399, "body": ""}), ""),
        (ended({"statusCode": 400, "body": ""}), "the caller is answered HTTP 400"),
        (ended({"batchItemFailures": [{}, {}]}), "given back to the queue: 2 records"),
        (ended(error=TryAgain("a")), "the handler raised an error"),
        (ended({}, seconds=3.0), ""),
        (
            ended({}, seconds=3.1),
            "it took longer than 3 s: the platform would have ended it, and its answer would be lost",
        ),
    ],
)
def test_what_the_platform_takes_for_done(what: Invoked, why: str) -> None:
    assert what.why == why


def test_a_pipe_tells_an_answer_from_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    show_line(ended({"a": "终"}, seconds=1.23456))
    show_line(ended(error=TryAgain("later")))
    first, second = capfd.readouterr().out.splitlines()
    assert json.loads(first) == {"answer": {"a": "终"}, "done": True, "why": None, "seconds": 1.235, "timeout_s": 3.0}
    assert json.loads(second)["errorType"] == "TryAgain"
    assert json.loads(second)["errorMessage"] == "later"
    assert "answer" not in json.loads(second)


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        ({"statusCode": 404, "headers": None, "body": '{"detail": "none"}'}, ["HTTP 404", '  "detail": "none"']),
        ({"statusCode": 200, "headers": {}, "body": "challenge\x1b[2J"}, ["HTTP 200", "challenge [2J"]),
        ({"records": 2}, ['  "records": 2']),
        (None, ["null"]),
    ],
)
def test_a_person_sees_any_answer(capfd: pytest.CaptureFixture[str], answer: Any, seen: list[str]) -> None:
    show_ended(ended(answer))
    assert set(seen) <= set(capfd.readouterr().out.splitlines())


def test_a_person_sees_an_error_that_cannot_steer_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    show_ended(ended(error=TryAgain("later\x1b[2J")))
    out = capfd.readouterr().out
    assert "TryAgain: later [2J\n✗ not done: the handler raised an error\n  1.00 s of 3 s\n" in out


@pytest.mark.parametrize("line", ['{"specversion": "1.0"}', "printed by somebody\x1b[2J", "\udcff"])
def test_whatever_else_is_written_is_shown_as_it_is(capfd: pytest.CaptureFixture[str], line: str) -> None:
    show_emitted(line)
    assert capfd.readouterr().out.strip("\n") in (line, line.replace("\x1b", " "), "?", " ")
