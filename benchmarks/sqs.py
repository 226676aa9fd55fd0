"""The SQS event that the batch benchmarks share."""

from __future__ import annotations

import json

LISTENER = "65093734fb966b3d70f6af26cc63e125"


def event(count: int) -> dict[str, object]:
    """Return an SQS event of so many records."""
    body = json.dumps({"listener_id": LISTENER, "limit": 10})
    records = [
        {
            "messageId": f"00000000-0000-4000-8000-{index:012d}",
            "receiptHandle": "fake",
            "body": body,
            "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1700000000000"},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:bench",
            "awsRegion": "eu-central-1",
        }
        for index in range(count)
    ]
    return {"Records": records}
