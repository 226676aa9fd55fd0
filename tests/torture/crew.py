"""The workers of a run: real processes of `flask worker`, killed and stopped by their own handles only, and replaced."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parent.parent.parent
STOP_S = 20.0
"""Seconds in which a worker must have ended after SIGTERM."""


class Worker:
    """One process; `name` is its own, `place` that of its predecessors and successors, `log` the file of its standard error."""

    def __init__(self, place: int, number: int, environ: Mapping[str, str], folder: Path) -> None:
        self.place = place
        self.name = f"worker-{place}-{number}"
        self.log = folder / f"{self.name}.log"
        self.killed = False
        self.asked_to_stop: float | None = None
        sinks = environ["HONGYAN_SINKS"].replace("WORKER", self.name)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "worker"],
                cwd=ROOT,
                env={**_surroundings(), **environ, "HONGYAN_SINKS": sinks},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """Send SIGKILL."""
        self.killed = True
        self.process.kill()

    def stop(self) -> None:
        """Send SIGTERM."""
        self.asked_to_stop = time.monotonic()
        self.process.terminate()


class Crew:
    """`count` workers at a time; `environs` are the settings of each place, where WORKER in HONGYAN_SINKS stands for a worker's name."""

    def __init__(self, environs: list[dict[str, str]], folder: Path) -> None:
        self.unasked: list[str] = []
        self.ends: list[tuple[str, int, float]] = []
        self.logs: list[Path] = []
        self._environs = environs
        self._folder = folder
        self._number = 0
        self.workers = [self._start(place) for place in range(len(environs))]

    def name(self, place: int) -> str:
        """Return the name of the worker that is at a place now."""
        return self.workers[place].name if len(self.workers) > place else ""

    def mend(self) -> None:
        """Replace the workers that have ended, and note how they did; a stop that takes too long ends in a kill."""
        for place, worker in enumerate(self.workers):
            if self._has_ended(worker):
                self.workers[place] = self._start(place)

    def start(self) -> None:
        """Start a worker at every place, after `stop`."""
        self.workers = [self._start(place) for place in range(len(self._environs))]

    def stop(self) -> None:
        """Stop all workers, and wait until they have ended."""
        for worker in self.workers:
            if worker.process.poll() is None and worker.asked_to_stop is None:
                worker.stop()
        while self.workers:
            self.workers = [worker for worker in self.workers if not self._has_ended(worker)]
            time.sleep(0.02)

    def end(self) -> None:
        """Leave no process behind, whatever happened."""
        for worker in self.workers:
            worker.process.kill()
            worker.process.wait()

    def said(self) -> Counter[str]:
        """Return how often each event stands in the workers' logs."""
        return Counter(event for log in self.logs for event in _events(log))

    def _start(self, place: int) -> Worker:
        self._number += 1
        worker = Worker(place, self._number, self._environs[place], self._folder)
        self.logs.append(worker.log)
        return worker

    def _has_ended(self, worker: Worker) -> bool:
        code = worker.process.poll()
        if code is None:
            late = worker.asked_to_stop is not None and time.monotonic() - worker.asked_to_stop > STOP_S
            if late and not worker.killed:
                self.unasked.append(f"{worker.name} had not ended {STOP_S:g} s after SIGTERM")
                worker.kill()
            return False
        if worker.asked_to_stop is not None:
            if not worker.killed:
                self.ends.append((worker.name, code, time.monotonic() - worker.asked_to_stop))
        elif not (worker.killed and code == -signal.SIGKILL):
            self.unasked.append(f"{worker.name} ended by itself with {code}: see {worker.log}")
        return True


def _surroundings() -> dict[str, str]:
    """Return this process's environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("HONGYAN_", "HUAWEICLOUD_"))}


def _events(log: Path) -> list[str]:
    """Return the events of a log; the last line of one that was killed may be half a line."""
    return [_event(line) for line in log.read_text(encoding="utf-8", errors="replace").splitlines()]


def _event(line: str) -> str:
    try:
        return str(json.loads(line)["event"])
    except (ValueError, TypeError, KeyError):
        return "traceback" if line.startswith("Traceback") else "text"
