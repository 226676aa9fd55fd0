"""Which of the project's own files a function needs: all of the rooms but what the table below leaves out, each line with its reason."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path

ROOMS = ("events", "functions", "schemas")

LEFT_OUT = {
    "events/cli/*": "the command line",
    "events/deployment/*": "`flask check`",
    "events/explain/*": "`flask verify`",
    "events/gunicorn_*.py": "gunicorn's settings and worker",
    "events/idempotency/*": "what a worker remembers",
    "events/loopback.py": "the door for this machine only",
    "events/metrics/*": "what is counted: nobody could ask a function for it",
    "events/openapi/*": "the webhook's /openapi.json and /docs",
    "events/packaging/*": "`flask package`",
    "events/queues/*": "the queues of the worker and the webhook",
    "events/redisserver.py": "connections of queues and stores",
    "events/result_schema.py": "the webhook's /schemas/result/1",
    "events/samples/*": "samples for the command line and the tests",
    "events/senders/explained.py": "`flask senders check`",
    "events/sinks/[!_s]*": "the worker's sinks: a function has standard output",
    "events/sinks/s[!t]*": "the worker's sinks, as well",
    "events/sqlite*.py": "files of queues and stores",
    "events/triggers/docs.py": "the webhook's routes of the documentation",
    "events/triggers/later.py": "what the webhook stores in a queue",
    "events/triggers/reading.py": "how the webhook reads a request from its socket",
    "events/triggers/receiving.py": "how long the webhook's server waits for a request",
    "events/triggers/storing.py": "how the webhook publishes",
    "events/triggers/worker/*": "the worker, a process of its own",
    "events/triggers/webhook.py": "the webhook itself, which is Flask",
    "functions/cloud/emulator/*": "the emulated cloud: HONGYAN_EMULATOR may name one at a loopback URL, but none is inside",
}
"""Patterns of files (`*` is anything, also in folders below) and why a function never needs them."""

KEPT = ("__init__.py", "credentials.py", "seed.py", "seed.json")
"""What stays of the emulator: its fake keys, which the settings ask for where HONGYAN_EMULATOR is set."""

# What a room is made of. Anything else that lies there, a key or a backup perhaps, stays where it is.
_SUFFIXES = (".py", ".json")
_EMULATOR = "functions/cloud/emulator/"


def reason(name: str) -> str | None:
    """Return why a file of the project is left out, None when it goes in; `name` as `events/cli/send.py`."""
    if name.removeprefix(_EMULATOR) in KEPT:
        return None
    return next((why for pattern, why in LEFT_OUT.items() if fnmatchcase(name, pattern)), None)


def names(root: Path) -> list[str]:
    """Return the names of all files of the rooms that are source or data, sorted; nothing hidden, nothing compiled."""
    found = []
    for room in ROOMS:
        for folder, folders, files in os.walk(root / room):
            folders[:] = [each for each in folders if not each.startswith(".") and each != "__pycache__"]
            found += [Path(folder, each) for each in files if not each.startswith(".") and each.endswith(_SUFFIXES)]
    return sorted(path.relative_to(root).as_posix() for path in found)


def project_files(root: Path) -> dict[str, bytes]:
    """Return the project's files that a function needs, by name; `root` is the folder that the rooms are in."""
    return {name: (root / name).read_bytes() for name in names(root) if reason(name) is None}
