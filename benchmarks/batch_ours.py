"""One batch through our Lambda handler; its seconds go to standard error."""

from __future__ import annotations

import os
import sys
import time

from benchmarks.sqs import event
from events.triggers.aws_lambda import handler


class Context:
    """A context with time enough."""

    aws_request_id = "bench"
    invoked_function_arn = "arn:aws:lambda:eu-central-1:000000000000:function:bench"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        """Return fifteen minutes."""
        return 900_000


if __name__ == "__main__":
    asked = event(int(os.environ["RECORDS"]))
    handler(event(1), Context)
    started = time.perf_counter()
    answer = handler(asked, Context)
    seconds = time.perf_counter() - started
    assert answer == {"batchItemFailures": []}, answer  # noqa: S101
    print(seconds, file=sys.stderr)  # noqa: T201
