"""Result events on standard output: whole lines, from any number of threads, or an error that says they did not leave."""

from __future__ import annotations

import io
import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from events.cloudevents import CloudEvent
from events.sinks import SinkGone, SinkUnavailable
from events.sinks.stdout import Stdout

EVENT = CloudEvent("1", "/a", "b", {"name": "鸿雁", "text": "a\nb"})


def test_an_event_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    Stdout().emit(EVENT)
    text = capsys.readouterr().out
    assert text.count("\n") == 1
    assert json.loads(text) == {"specversion": "1.0", "id": "1", "source": "/a", "type": "b", "data": EVENT.data}


def test_lines_are_not_mixed_up() -> None:
    stream = io.StringIO()
    sink = Stdout(stream)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: sink.emit(EVENT), range(200)))
    assert {json.loads(line)["id"] for line in stream.getvalue().splitlines()} == {"1"}
    assert stream.getvalue().count("\n") == 200


def test_an_output_that_takes_nothing_is_told() -> None:
    closed = io.StringIO()
    closed.close()
    with pytest.raises(SinkUnavailable):
        Stdout(closed).emit(EVENT)


def test_a_pipe_that_nobody_reads_wants_no_events_any_more() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    stream = os.fdopen(writing, "w")
    with pytest.raises(SinkGone):
        Stdout(stream).emit(EVENT)
    with pytest.raises(BrokenPipeError):
        stream.close()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gb18030"])
def test_an_output_of_another_encoding_gets_ascii(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding)
    Stdout(stream).emit(EVENT)
    assert json.loads(raw.getvalue().decode("ascii"))["data"] == EVENT.data
