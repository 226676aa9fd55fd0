from __future__ import annotations

import io
import json
import logging
import re
from typing import TYPE_CHECKING, Any

import pytest

from events.logs import configure
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("hongyan.events")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("HONGYAN_LOG_LEVEL", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    logger = logging.getLogger("hongyan")
    before = logger.handlers[:], logger.propagate, logger.level
    yield
    logger.handlers[:], logger.propagate = before[:2]
    logger.setLevel(before[2])


def fail() -> None:
    raise ValueError("no such thing")


def written(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_record_is_one_line_of_json_without_what_is_none() -> None:
    stream = io.StringIO()
    configure(stream)
    log.info("call.finished", extra={"facts": {"operation": "elb.list_members", "code": None, "attempts": 1}})
    [line] = written(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {"level": "info", "event": "call.finished", "operation": "elb.list_members", "attempts": 1}


def test_configuring_again_writes_no_line_twice_and_nothing_to_the_root(caplog: pytest.LogCaptureFixture) -> None:
    first, second = io.StringIO(), io.StringIO()
    configure(first)
    configure(second)
    configure(second)
    log.warning("call.retried")
    assert (first.getvalue(), len(written(second)), caplog.records) == ("", 1, [])


def test_an_exception_is_told_by_type_and_trace() -> None:
    stream = io.StringIO()
    configure(stream)
    try:
        fail()
    except ValueError:
        log.exception("call.crashed", extra={"facts": {"operation": "elb.list_members"}})
    [line] = written(stream)
    assert (line["level"], line["error"]) == ("error", "ValueError")
    assert "in fail" in line["trace"]
    # The exception's own text may quote a key or a payload, so it is left out; `no such thing` stands in the source line only.
    assert "ValueError: no such thing" not in line["trace"]


def test_asking_for_a_trace_where_there_is_none_does_no_harm() -> None:
    stream = io.StringIO()
    configure(stream)
    log.error("request.crashed", exc_info=True)  # noqa: LOG014
    assert "trace" not in written(stream)[0]


class Secret:
    def __repr__(self) -> str:
        return "fake-secret-key"

    __str__ = __repr__


@pytest.mark.parametrize("value", [Secret(), float("nan"), {("a", "b"): 1}, {1, 2}, b"body"])
def test_a_fact_that_json_cannot_carry_is_named_by_its_type(value: object) -> None:
    for stream in (io.StringIO(), Terminal()):
        configure(stream)
        log.info("call.finished", extra={"facts": {"odd": value, "operation": "elb.list_members"}})
        assert f"<{type(value).__name__}>" in stream.getvalue()
        assert "elb.list_members" in stream.getvalue()
        assert "fake-secret-key" not in stream.getvalue()


def test_a_fact_that_holds_itself_does_no_harm() -> None:
    stream = io.StringIO()
    configure(stream)
    around: list[object] = []
    around.append(around)
    log.info("call.finished", extra={"facts": {"around": around}})
    assert written(stream)[0]["around"] == "<list>"


def test_nothing_else_of_a_record_is_written() -> None:
    stream = io.StringIO()
    configure(stream)
    log.info("call.finished", extra={"body": "fake-secret-key"})
    assert written(stream)[0].keys() == {"time", "level", "event"}


def test_no_fact_takes_the_place_of_what_every_line_has() -> None:
    stream = io.StringIO()
    configure(stream)
    log.info("call.finished", extra={"facts": {"event": "other", "level": "other", 7: "seven"}})
    line = written(stream)[0]
    assert (line["event"], line["level"], line["7"]) == ("call.finished", "info", "seven")


def test_lines_are_ascii_whatever_they_tell() -> None:
    stream = io.StringIO()
    configure(stream)
    log.info("call.finished", extra={"facts": {"said": "终端\ud800\n"}})
    assert stream.getvalue().isascii()
    assert written(stream)[0]["said"] == "终端\ud800\n"


def test_a_terminal_gets_a_short_coloured_line() -> None:
    stream = Terminal()
    configure(stream)
    log.info("call.finished", extra={"facts": {"operation": "elb.list_members", "said": "a b", "code": None}})
    bare = re.sub(r"\x1b\[\d+m", "", stream.getvalue())
    assert bare != stream.getvalue()
    assert re.fullmatch(r'\d\d:\d\d:\d\d call\.finished operation=elb\.list_members said="a b"\n', bare)


def test_a_short_line_cannot_steer_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    configure(stream)
    log.info("call.finished", extra={"facts": {"said": "\x1b[2J", "empty": ""}})
    assert "\x1b" not in stream.getvalue()
    assert stream.getvalue().endswith('said="\\u001b[2J" empty=""\n')


def test_a_short_line_has_the_trace_below_it() -> None:
    stream = io.StringIO()
    configure(stream, people=True)
    try:
        fail()
    except ValueError as error:
        log.error("call.crashed", exc_info=error)  # noqa: TRY400
    assert stream.getvalue().splitlines()[1].lstrip().startswith("File ")


def test_json_can_be_asked_for_on_a_terminal() -> None:
    stream = Terminal()
    configure(stream, people=False)
    log.info("call.finished")
    assert written(stream)[0]["event"] == "call.finished"


def test_without_a_stream_it_is_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    configure(people=False)
    log.info("call.finished")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "call.finished"


def test_the_level_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    configure(stream)
    log.debug("call.detail")
    monkeypatch.setenv("HONGYAN_LOG_LEVEL", "debug")
    configure(stream)
    log.debug("call.detail")
    assert len(written(stream)) == 1


def test_a_level_that_is_none_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_LOG_LEVEL", "loud")
    with pytest.raises(ConfigurationError, match="HONGYAN_LOG_LEVEL must be one of DEBUG, INFO"):
        configure(io.StringIO())
