"""The running application against its own document: schemathesis draws what it allows and what it forbids, and every check must pass."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from events.settings import EventSettings
from events.triggers.webhook import create_app
from functions.cloud.client import Client
from functions.cloud.emulator.server import serving_app
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings
from functions.registry import names
from tests.events.triggers.queued import url_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
TOKEN, AES_KEY = "FakeTokenOfATestSender", "A" * 43
NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
EXAMPLES = 500 if NIGHTLY else 10

SENDERS = """
[senders.machine]
scheme = "bearer"
secrets = [{ env = "FAKE_TOKEN" }]
operations = ["*"]
operation = "elb.list_members"
rate = "999999999/second"
origins = ["*"]

[senders.callback]
scheme = "wecom"
secrets = [{ token = { env = "FAKE_TOKEN" }, aes_key = { env = "FAKE_AES_KEY" } }]
receive_id = "corp"
operations = ["elb.list_members"]
"""

# What is wrong with the document or with this test. The others count refusals, and the emulated cloud's of drawn ids are among them.
WARNINGS = (
    "method_not_allowed",
    "missing_auth",
    "missing_deserializer",
    "unmatched_filter",
    "unresolvable_reference",
    "unsupported_regex",
    "unused_openapi_auth",
)
# 413 refuses, too: a batch that is too long. 501 is what an event of an unknown type is answered; any other 5xx is a failure. An OPTIONS
# without an origin is no handshake, but a method that is not taken.
CONFIG = f"""
hooks = "{HERE / "schemathesis_hooks.py"}"

[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 409, 413, 415, 501]

[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", 501]

[checks.missing_required_header]
expected-statuses = [400, 401, 405]

[warnings]
fail-on = [{", ".join(f'"{name}"' for name in WARNINGS)}]
"""
AS_SENDERS = f"""
[auth.openapi.bearer]
bearer = "{TOKEN}"

[[operations]]
include-name = ["POST /hooks/{{sender}}", "OPTIONS /hooks/{{sender}}"]
parameters = {{ "path.sender" = "machine" }}

# Signed and encrypted in the query, which schemathesis cannot do: 401 is the right answer to all of them.
[[operations]]
include-name = "GET /hooks/{{sender}}"
warnings = false
parameters = {{ "path.sender" = "callback" }}
"""
# The coverage phase takes seconds for each payload with lists: it draws a thousand different items.
WITHOUT_COVERAGE = "\n[[operations]]\ninclude-name = {names}\nphases.coverage.enabled = false\n"
SLOW = [
    "POST /events",
    "POST /hooks/{sender}",
    *(f"POST /functions/{name}" for name in names() if name != "elb.list_members"),
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info < (3, 11), reason="schemathesis needs Python 3.11"),
]


@dataclass(frozen=True)
class Run:
    """How a run of schemathesis ended, what it told, and what the server answered, by status."""

    status: int
    told: str
    answered: Counter[int]


@contextmanager
def served(settings: EventSettings, answered: Counter[int]) -> Iterator[str]:
    """Serve the application on an emulator of its own; count its answers by status."""
    client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}), retry=Retry(sleep=lambda _: None))
    app = create_app(events=settings, client=client)

    def counted(environ: Any, start_response: Callable[..., Any]) -> Any:
        def started(status: str, *more: Any) -> Any:
            answered[int(status[:3])] += 1
            return start_response(status, *more)

        return app(environ, started)

    with serving_app(counted) as url:
        yield url


def run(settings: EventSettings, config: str, folder: Path) -> Run:
    """Run schemathesis, all checks and phases, in a process of its own: its warnings are not ours to turn into errors."""
    file = folder / "schemathesis.toml"
    file.write_text(config if NIGHTLY else config + WITHOUT_COVERAGE.format(names=SLOW))
    same_each_time = ["--generation-database", "none"] if NIGHTLY else ["--generation-deterministic"]
    options = ["--checks", "all", "-n", str(EXAMPLES), "--continue-on-failure", "--no-color", *same_each_time]
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    answered = Counter[int]()
    with served(settings, answered) as url:
        ran = subprocess.run(
            [*command, "--config-file", str(file), "run", f"{url}/openapi.json", *options],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            timeout=7200 if NIGHTLY else 120,
            check=False,
        )
    return Run(ran.returncode, f"{ran.stdout[-20_000:]}\n{ran.stderr[-5_000:]}", answered)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """Run schemathesis against the doors of this machine and those of senders, both at once: each takes seconds of one processor."""
    local, signed = tmp_path_factory.mktemp("local"), tmp_path_factory.mktemp("signed")
    file = signed / "senders.toml"
    file.write_text(SENDERS)
    file.chmod(0o600)
    with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(2) as threads:
        patched.setenv("FAKE_TOKEN", TOKEN)
        patched.setenv("FAKE_AES_KEY", AES_KEY)
        started = {
            "local": threads.submit(run, EventSettings(queue=url_of(local)), CONFIG, local),
            "signed": threads.submit(
                run, EventSettings(senders=str(file), queue=url_of(signed)), CONFIG + AS_SENDERS, signed
            ),
        }
        return {doors: future.result() for doors, future in started.items()}


@pytest.mark.parametrize(
    ("doors", "statuses"),
    [("local", {200, 202, 400, 403, 404, 405, 413, 415}), ("signed", {200, 202, 204, 400, 401, 404, 405})],
)
def test_no_check_fails(
    runs: dict[str, Run], doors: str, statuses: set[int], record_property: Callable[[str, object], None]
) -> None:
    made = runs[doors]
    record_property("requests", made.answered.total())
    print(f"{made.answered.total()} requests, answered {dict(sorted(made.answered.items()))}")  # noqa: T201 - for who reads the run
    assert made.status == 0, made.told
    assert statuses <= set(made.answered)
    assert not [status for status in made.answered if status >= 500 and status != 501]
