"""The zips of `flask package`, made twice and run as their platforms run them, against an emulated cloud; `make test-package` is this.

    .venv/bin/python -m tests.package_run [--imports 20]

Both zips are for this machine's Python and architecture, with packages from the index that pip is configured for. Each is made here and
from a copy of the project in another folder, at another time, with another umask, locale and hash seed. Then it is unpacked, and a Python
that finds nothing else but its own library (-I -S) runs two events through its handler. Exits 1 unless everything is as it must be.
`--imports` also measures how long importing the handler takes, compiled and not, so many times each.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from events.cli.terminal import say
from events.packaging.contents import ROOMS
from events.packaging.interpreters import running
from events.packaging.targets import FUNCTIONGRAPH, LAMBDA, MIB, Target
from events.samples import sample

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
OPERATION = "elb.list_members"
PAYLOAD = json.loads(sample(OPERATION))
ASKED = json.dumps({"operation": OPERATION, "payload": PAYLOAD})
JSON = {"content-type": "application/json"}
# How the second zip is made: whatever could show in its bytes is different.
OTHERWISE = {"LC_ALL": "C.UTF-8", "TZ": "Asia/Shanghai", "PYTHONHASHSEED": "4711", "HONGYAN_OTHER": "yes"}

EVENTS: dict[Target, dict[str, Any]] = {
    LAMBDA: {
        "SQS": {
            "Records": [
                {
                    "messageId": f"00000000-0000-4000-8000-00000000000{number}",
                    "body": ASKED,
                    "attributes": {"ApproximateReceiveCount": "1"},
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:hongyan",
                }
                for number in range(2)
            ]
        },
        "API Gateway v2": {
            "version": "2.0",
            "rawPath": f"/functions/{OPERATION}",
            "rawQueryString": "",
            "headers": JSON,
            "requestContext": {
                "http": {"method": "POST", "path": f"/functions/{OPERATION}", "sourceIp": "203.0.113.7"},
                "authorizer": {"iam": {"accountId": "123456789012", "userArn": "arn:aws:iam::123456789012:user/a"}},
            },
            "body": json.dumps(PAYLOAD),
            "isBase64Encoded": False,
        },
    },
    FUNCTIONGRAPH: {
        "APIG": {
            "httpMethod": "POST",
            "path": f"/functions/{OPERATION}",
            "headers": JSON,
            "queryStringParameters": {},
            "pathParameters": {},
            "requestContext": {"apiId": "a", "requestId": "11cdcdcf33949dc6d722640a13091c77", "stage": "RELEASE"},
            "body": base64.b64encode(json.dumps(PAYLOAD).encode()).decode(),
            "isBase64Encoded": True,
        },
        "SMN": {
            "record": [
                {
                    "event_version": "1.0",
                    "event_source": "smn",
                    "event_subscription_urn": "urn:fss:cn-north-4:0605767a3300d5762fb7c0186d9e1779:function:default:a",
                    "smn": {
                        "topic_urn": "urn:smn:cn-north-4:0605767a3300d5762fb7c0186d9e1779:a",
                        "timestamp": "2026-11-22T08:00:00Z",
                        "message_attributes": None,
                        "message": ASKED,
                        "type": "notification",
                        "message_id": "a51671f77d4a479cacb09e2cd591a983",
                        "subject": "a",
                    },
                }
            ],
        },
    },
}
# How many result events each of them leaves on standard output; the others have theirs in the answer.
EMITTED = {"SQS": 2, "SMN": 1}

# What the platform's own loader does: nothing but the unpacked folder before Python's own library.
RUN = """\
import importlib, json, os, sys
sys.path.insert(0, os.getcwd())
module, _, name = sys.argv[1].rpartition(".")
class Context:
    aws_request_id = "11111111-2222-4333-8444-555555555555"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:123456789012:function:hongyan"
    get_remaining_time_in_millis = getRemainingTimeInMilliSeconds = lambda self: 20000
    getRequestID = lambda self: "11111111-2222-4333-8444-555555555555"
answer = getattr(importlib.import_module(module), name)(json.load(sys.stdin), Context())
library = os.path.dirname(os.__file__)
files = [getattr(each, "__file__", None) or library for each in list(sys.modules.values())]
strange = [file for file in files if not os.path.realpath(file).startswith((os.getcwd(), os.path.realpath(library)))]
print(json.dumps({"answer": answer, "strange": strange}))
"""
TIME = """\
import sys, time
sys.path.insert(0, sys.argv[1])
began = time.perf_counter()
__import__(sys.argv[2])
print(time.perf_counter() - began)
"""
ALONE = [sys.executable, "-I", "-S"]


def main() -> None:
    """Make, compare and run the zips, and print a table of what became of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--imports", type=int, default=0, metavar="N")
    times = parser.parse_args().imports
    with tempfile.TemporaryDirectory(prefix="hongyan-") as name, emulator() as url:
        folder = Path(name).resolve()
        made = packages(folder)
        rows, faults = [], []
        for target, (first, second) in made.items():
            code = unpacked(folder, target)
            same = first["sha256"] == second["sha256"]
            faults += [] if same else [f"{target.name}: made twice, and not the same bytes"]
            for event in EVENTS[target]:
                answer, fault = ran(code, target, event, url)
                faults += [f"{target.name}, {event}: {fault}"] if fault else []
                size = f"{first['size'] / MIB:.2f} MiB"
                files = str(first["files"])
                rows.append([target.name, size, files, "yes" if same else "NO", event, answer])
        for cells in (["zip", "size", "files", "identical", "event", "answer"], *rows):
            say("  ".join(cell.ljust(size) for cell, size in zip(cells, (13, 8, 5, 9, 14, 0), strict=True)))
        for target in made if times else ():
            say(measured(folder, target, times))
    for fault in faults:
        say(fault, err=True)
    sys.exit(1 if faults else 0)


def packages(folder: Path) -> dict[Target, list[dict[str, Any]]]:
    """Make both zips here and from a copy of the project; return by target what the command said of each."""
    copy = folder / "another folder" / "project"
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile
        )
    for file in ("pyproject.toml", "constraints.txt", ".flaskenv"):
        shutil.copyfile(ROOT / file, copy / file)
    (folder / "other").mkdir()
    other = {**OTHERWISE, "TMPDIR": str(folder / "other")}
    with ThreadPoolExecutor(2) as pool:
        first = {each: pool.submit(package, each, folder / f"{each.name}.zip", ROOT, {}, 0o022) for each in EVENTS}
        second = {
            each: pool.submit(package, each, folder / f"{each.name}-2.zip", copy, other, 0o077) for each in EVENTS
        }
        return {each: [first[each].result(), second[each].result()] for each in EVENTS}


def package(target: Target, output: Path, project: Path, environ: dict[str, str], umask: int) -> dict[str, Any]:
    """Run `flask package` in a project's folder and return what it says. Ends the program when it fails."""
    machine = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    options = ["--python", running(), "--architecture", machine, "--output", str(output), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "flask", "package", target.name, *options],
        cwd=project, env={**environment(), **environ}, umask=umask, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"flask package {target.name} failed:\n{done.stderr}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def environment() -> dict[str, str]:
    """Return this process's environment without settings of ours."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("HONGYAN_", "HUAWEICLOUD_"))}


@contextmanager
def emulator() -> Iterator[str]:
    """Run `flask emulator` on a free port, return where it is, and end it."""
    command = [sys.executable, "-m", "flask", "emulator", "--port", "0"]
    with subprocess.Popen(
        command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            lines = process.stdout or ()
            url = next((line.strip().partition("=")[2] for line in lines if "HONGYAN_EMULATOR" in line), "")
            if not url:
                sys.exit(f"flask emulator did not start:\n{process.stderr.read() if process.stderr else ''}")
            yield url
        finally:
            process.terminate()


def unpacked(folder: Path, target: Target) -> Path:
    """Unpack a target's zip into a folder of its own and return it."""
    code = folder / target.name
    with zipfile.ZipFile(folder / f"{target.name}.zip") as archive:
        archive.extractall(code)
    return code


def ran(code: Path, target: Target, event: str, url: str) -> tuple[str, str]:
    """Run an event through a target's handler; return the answer in short, and what was not as it must be ("" when all was)."""
    before = sorted(code.rglob("*"))
    settings = {"HONGYAN_EMULATOR": url, "HONGYAN_GATEWAY_AUTHENTICATES": "true" if target is FUNCTIONGRAPH else ""}
    done = subprocess.run(
        [*ALONE, "-c", RUN, target.handler],
        cwd=code, env=settings, input=json.dumps(EVENTS[target][event]), capture_output=True, text=True, check=False,
        timeout=30,
    )  # fmt: skip
    if done.returncode:
        return "none", done.stderr.strip()
    *emitted, last = map(json.loads, done.stdout.splitlines())
    answer, results = last["answer"], emitted
    if isinstance(answer, dict) and answer.get("statusCode") == 200:
        results = [*emitted, json.loads(answer["body"])]
    types = [result["type"] for result in results]
    faults = [
        f"modules from elsewhere: {last['strange']}" if last["strange"] else "",
        "it wrote files: not everything was compiled" if sorted(code.rglob("*")) != before else "",
        f"{len(emitted)} events on standard output" if len(emitted) != EMITTED.get(event, 0) else "",
        f"results {types}" if set(types) != {f"hongyan.{OPERATION}.succeeded"} else "",
        f"the answer {answer}" if event == "SQS" and answer != {"batchItemFailures": []} else "",
    ]
    told = f"HTTP {answer['statusCode']}" if "statusCode" in (answer or {}) else json.dumps(answer)
    outcomes = [each.rpartition(".")[2] for each in types]
    return f"{told}, {' '.join(outcomes) or 'no result'}", "; ".join(filter(None, faults))


def measured(folder: Path, target: Target, times: int) -> str:
    """Return how long importing the handler's module takes, compiled and not, in turns; medians in milliseconds."""
    compiled, plain = folder / target.name, folder / f"{target.name}-plain"
    shutil.copytree(compiled, plain, ignore=shutil.ignore_patterns("__pycache__"))
    seconds: dict[Path, list[float]] = {compiled: [], plain: []}
    # -B: what is not compiled stays so, as where the code cannot be written.
    command = [*ALONE, "-B", "-c", TIME]
    module = target.handler.rpartition(".")[0]
    for _ in range(times):
        for code, found in seconds.items():
            done = subprocess.run([*command, str(code), module], capture_output=True, text=True, check=True, timeout=60)
            found.append(float(done.stdout))
    first, second = (statistics.median(found) * 1000 for found in seconds.values())
    return f"importing {module}: {first:.0f} ms compiled, {second:.0f} ms not (medians of {times})"


if __name__ == "__main__":
    began = time.monotonic()
    try:
        main()
    finally:
        say(f"{time.monotonic() - began:.0f} s", err=True)
