"""`flask worker`: a queue worked through, signals, exit codes, and what a person and a pipe are shown."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from events.cli.progress import Progress
from events.queues.urls import connect, read
from events.triggers.worker.summary import Summary
from events.triggers.worker.verdicts import Back, Done
from tests.events.cli.support import FLASK, ROOT, environment, on_terminal
from tests.events.triggers.worker.support import message

if TYPE_CHECKING:
    from pathlib import Path


def published(folder: Path, *ids: str, **changes: Any) -> str:
    url = f"sqlite:///{folder / 'queue.sqlite'}"
    queue = connect(read(url, "URL"), "URL")
    queue.publish([message(each, **changes) for each in ids])
    queue.close()
    return url


def worker(*args: str, **changes: str) -> subprocess.CompletedProcess[str]:
    command = [*FLASK, "worker", *args]
    return subprocess.run(
        command, cwd=ROOT, env=environment(**changes), capture_output=True, text=True, timeout=60, check=False
    )


def test_a_batch_job_writes_events_to_standard_output_and_logs_beside(tmp_path: Path) -> None:
    done = worker("--queue", published(tmp_path, "1", "2"), "--until-empty")
    assert done.returncode == 0
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["type"] for event in events] == ["hongyan.elb.list_members.succeeded"] * 2
    banner, *logs = done.stderr.splitlines()
    assert "EMULATOR" in banner
    said = [json.loads(line) for line in logs]
    assert said[-1]["event"] == "worker.stopped"
    assert (said[-1]["ended"], said[-1]["succeeded"], said[-1]["dead"]) == (2, 2, 0)


def test_a_batch_job_that_leaves_dead_letters_exits_with_1(tmp_path: Path) -> None:
    done = worker("--until-empty", HONGYAN_QUEUE=published(tmp_path, "1", payload={}))
    assert done.returncode == 1
    assert json.loads(done.stdout)["data"]["outcome"] == "rejected"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({}, "missing settings: HONGYAN_QUEUE"),
        ({"HONGYAN_QUEUE": "http://x"}, "HONGYAN_QUEUE must be a URL"),
        (
            {"HONGYAN_QUEUE": "sqlite:///x.sqlite", "HONGYAN_THREADS": "0"},
            "HONGYAN_THREADS must be a whole number from 1 to 256",
        ),
        ({"HONGYAN_QUEUE": "sqlite:///x.sqlite", "HONGYAN_STORE": "x"}, "HONGYAN_STORE must be a URL"),
        ({"HONGYAN_QUEUE": "sqlite:///x.sqlite", "HONGYAN_SINKS": "ftp://x"}, "HONGYAN_SINKS must begin with"),
        (
            {"HONGYAN_QUEUE": "sqlite:///x.sqlite", "HONGYAN_EMULATOR": ""},
            "missing settings: HUAWEICLOUD_SDK_PROJECT_ID",
        ),
        ({"HONGYAN_QUEUE": "sqlite:////proc/x.sqlite"}, "/proc/x.sqlite"),
    ],
)
def test_what_is_wrong_with_the_settings_is_one_line(changes: dict[str, str], says: str) -> None:
    done = worker("--until-empty", **changes)
    assert (done.returncode, done.stdout) == (1, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def started(folder: Path, url: str, **changes: str) -> subprocess.Popen[str]:
    with (folder / "log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            [*FLASK, "worker", "--queue", url],
            cwd=ROOT, env=environment(**changes), stdout=subprocess.DEVNULL, stderr=log, text=True,
        )  # fmt: skip


def logged(folder: Path, event: str) -> list[dict[str, Any]]:
    lines = (folder / "log").read_text(encoding="utf-8").splitlines()
    return [said for line in lines if line.startswith("{") and (said := json.loads(line))["event"] == event]


def until(folder: Path, event: str, count: int = 1) -> None:
    end = time.monotonic() + 30
    while len(logged(folder, event)) < count:
        assert time.monotonic() < end, f"no {event}"
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_under_load_ends_it_with_0_and_loses_nothing(number: signal.Signals, tmp_path: Path) -> None:
    url = published(tmp_path, *map(str, range(3000)))
    process = started(tmp_path, url)
    until(tmp_path, "call.finished", 20)
    os.kill(process.pid, number)
    assert process.wait(30) == 0
    [last] = logged(tmp_path, "worker.stopped")
    queue = connect(read(url, "URL"), "URL")
    counts = queue.counts()
    queue.close()
    assert (counts.in_flight, counts.ready) == (0, 3000 - last["ended"])
    assert 0 < last["ended"] < 3000


@pytest.mark.parametrize(("closed", "code"), [(">&-", 1), ("2>&-", 0)])
def test_a_stream_that_was_closed_costs_no_message(closed: str, code: int, tmp_path: Path) -> None:
    url = published(tmp_path, "1", "2")
    command = f'exec "$0" -m flask worker --queue "$1" --until-empty {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, url],
        cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == code
    queue = connect(read(url, "URL"), "URL")
    counts = queue.counts()
    queue.close()
    # Nobody can be told of results, so they wait; without a log they are told of.
    assert (counts.dead, counts.ready) == (0, 2 if code else 0)


def test_a_person_sees_a_bar_and_a_summary_but_no_log(tmp_path: Path) -> None:
    url = published(tmp_path, *map(str, range(5)))
    shown, code = on_terminal(
        "worker", "--queue", url, "--until-empty", "--sinks", f"sqlite:///{tmp_path / 'r.sqlite'}"
    )
    assert code == 0
    assert "5 messages ended: 5 succeeded" in shown
    assert "call.finished" not in shown


class Screen:
    """A stream that keeps what is written."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_the_line_of_progress_and_the_log_above_it() -> None:
    screen, summary = Screen(), Summary()
    progress = Progress(screen)  # type: ignore[arg-type]
    progress.expect(4)
    for verdict in (Done("succeeded"), Done("succeeded"), Back(1.0, failed=True, why="retry")):
        summary.count(verdict)
    progress.show(summary)
    first = screen.text
    assert first.startswith("\r\x1b[2K[############............]  50% 2 ended · ")
    assert first.endswith("/s · 1 returned")
    progress.show(summary)
    assert screen.text == first  # Not so soon again.
    progress.write("12:00:00 a line\n")
    assert screen.text.removeprefix(first).startswith("\r\x1b[2K12:00:00 a line\n\r\x1b[2K[####")
    progress.end()
    assert screen.text.endswith("\r\x1b[2K")


def test_without_a_total_there_is_no_bar() -> None:
    screen = Screen()
    Progress(screen).show(Summary())  # type: ignore[arg-type]
    assert screen.text.startswith("\r\x1b[2K0 ended")
