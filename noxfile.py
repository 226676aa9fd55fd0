"""The tests on every supported Python that is on this machine: `make test-all`."""

from __future__ import annotations

import os
from pathlib import Path

import nox

nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

# pyenv keeps its interpreters off PATH until one is chosen.
_PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
os.environ["PATH"] = os.pathsep.join([*map(str, _PYENV.glob("versions/3.1*/bin")), os.environ["PATH"]])


_DIFFER = (
    *("tests/functions", "tests/schemas", "tests/events/cloudevents", "tests/events/idempotency", "tests/events/sinks"),
    *(
        "tests/events/queues",
        "tests/events/triggers/worker",
        "tests/events/triggers/serverless",
        "tests/events/metrics",
    ),
    *("tests/events/signatures/test_standard.py", "tests/events/senders/test_document.py", "tests/events/packaging"),
    *map(str, sorted(Path("tests/events").glob("test_*.py"))),
    *map(str, sorted(Path("tests/events/triggers").glob("test_*.py"))),
)


@nox.session
def template(session: nox.Session) -> None:
    # They bring boto3, which the project's own environment must never have.
    pip = ("python", "-m", "pip", "--disable-pip-version-check", "-qq")
    session.run(*pip, "install", "--no-compile", "--requirement", "deploy/lint/requirements.txt")
    session.run("python", "deploy/lint/lint.py")


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    pip = ("python", "-m", "pip", "--disable-pip-version-check", "-qq")
    session.run(*pip, "install", "--upgrade", "pip>=25.1")
    everything = ".[amqp,crypto,deploy,docs,metrics,redis]"
    session.run(*pip, "install", "--constraint", "constraints.txt", everything, "--group", "test")
    # Property tests with fewer examples than `make test` has. Unless asked otherwise (`nox -- -m ""`) nothing slow or long, and only
    # what may differ from one Python to the next.
    asked = session.posargs or ["-m", "not slow and not long", *_DIFFER]
    session.run("python", "-m", "pytest", "-q", *asked, env={"HYPOTHESIS_PROFILE": "fast"})
