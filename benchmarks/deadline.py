"""More records than there is time for: 200 of 50 ms, 2 s left, few workers; each is done with its event out, or given back, before the end.

.venv/bin/python -m benchmarks.deadline --records 200 --delay-ms 50 --left-s 2 --workers 2
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import time

from benchmarks.cloud import cloud
from benchmarks.sqs import event
from events.triggers.aws_lambda import Lambda
from events.triggers.serverless.app import App


class Context:
    """A context whose time runs out."""

    aws_request_id = "bench"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:bench"

    def __init__(self, left_s: float) -> None:
        self._end = time.monotonic() + left_s

    def get_remaining_time_in_millis(self) -> int:
        """Return what is left, in milliseconds; negative when the platform would have ended the process."""
        return int((self._end - time.monotonic()) * 1000)


def main() -> None:
    """Run it once, and print what became of the records as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=200)
    parser.add_argument("--delay-ms", type=float, default=50.0)
    parser.add_argument("--left-s", type=float, default=2.0)
    parser.add_argument("--workers", type=int, default=2)
    told = parser.parse_args()
    with cloud(told.delay_ms / 1000) as url, contextlib.redirect_stdout(io.StringIO()) as out:
        own = {"HONGYAN_EMULATOR": url, "HONGYAN_POOL_SIZE": str(told.workers), "HONGYAN_OPERATION": "elb.list_members"}
        own["HONGYAN_LOG_LEVEL"] = "ERROR"
        function = Lambda(App.from_env(own))
        function.answer(event(1), Context(60))
        out.truncate(0)
        out.seek(0)
        context = Context(told.left_s)
        answer = function.answer(event(told.records), context)
        left_ms = context.get_remaining_time_in_millis()
    emitted = [json.loads(line) for line in out.getvalue().splitlines()]
    returned = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
    done = {one["data"]["trigger"]["id"] for one in emitted}
    summary = {
        "records": told.records,
        "done_with_event": len(done),
        "returned": len(returned),
        "both": len(done & returned),
        "neither": told.records - len(done | returned),
        "outcomes": sorted({one["data"]["outcome"] for one in emitted}),
        "left_ms": left_ms,
    }
    print(json.dumps(summary))  # noqa: T201 - its output
    if summary["both"] or summary["neither"] or left_ms <= 0:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
