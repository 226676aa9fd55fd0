"""The same batch through aws-lambda-powertools' BatchProcessor, with a record handler that does what ours does, plainly written."""

from __future__ import annotations

import os
import sys
import time

import requests
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from marshmallow import Schema, fields


class Payload(Schema):
    """What a record holds."""

    listener_id = fields.String(required=True)
    limit = fields.Integer()


SCHEMA = Payload()
SESSION = requests.Session()


def handle(record: object) -> None:
    """Handle one record: validate, ask the cloud, read its answer."""
    SCHEMA.loads(record.body)  # type: ignore[attr-defined]
    headers = {"X-Auth-Token": os.environ["CLOUD_TOKEN"]}
    answer = SESSION.get(os.environ["CLOUD_URL"], headers=headers, timeout=10)
    answer.raise_for_status()
    answer.json()


def main() -> None:
    """Run the batch; its seconds go to standard error."""
    from benchmarks.sqs import event

    asked = event(int(os.environ["RECORDS"]))
    processor = BatchProcessor(event_type=EventType.SQS)
    process_partial_response(event=event(1), record_handler=handle, processor=processor, context=None)
    started = time.perf_counter()
    answer = process_partial_response(event=asked, record_handler=handle, processor=processor, context=None)
    seconds = time.perf_counter() - started
    assert answer == {"batchItemFailures": []}, answer  # noqa: S101
    print(seconds, file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
