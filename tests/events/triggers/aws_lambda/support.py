"""A function on Lambda whose cloud is an emulator of its own or a script, and events as each trigger sends them."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from events.samples import sample
from events.settings import EventSettings
from events.triggers.aws_lambda import Lambda
from events.triggers.serverless.app import App
from events.triggers.serverless.settings import ServerlessSettings
from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.retry import Retry
from functions.cloud.settings import CloudSettings
from tests.support import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.cloudevents import CloudEvent

LIST = "elb.list_members"
ADD = "apig.add_members"
PAYLOAD: dict[str, Any] = json.loads(sample(LIST))
WRITE: dict[str, Any] = json.loads(sample(ADD))
ASKS: dict[str, Any] = {"operation": LIST, "payload": PAYLOAD}
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": "/monitor",
    "type": f"hongyan.{LIST}",
    "data": PAYLOAD,
}
TRACE = f"00-{'a' * 32}-{'b' * 16}-01"

QUEUE = "arn:aws:sqs:eu-west-1:123456789012:hongyan"
FIFO = f"{QUEUE}.fifo"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:alarms"
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:hongyan"


@dataclass
class Context:
    """Lambda's context, as far as it is read."""

    aws_request_id: Any = "6bc28136-xmpl-4365-b021-0ce6b2e64ab0"
    invoked_function_arn: Any = ARN
    remaining_ms: Any = 30_000

    def get_remaining_time_in_millis(self) -> Any:
        return self.remaining_ms


@dataclass
class Kept:
    """A sink that keeps what it is given."""

    events: list[CloudEvent] = field(default_factory=list)

    def emit(self, event: CloudEvent) -> None:
        self.events.append(event)


class Function:
    """A function, its sink, and the emulator that it asks; with a `url`, the cloud is there instead."""

    def __init__(
        self,
        url: str = "",
        events: EventSettings | None = None,
        environ: Mapping[str, str] | None = None,
        pool_size: int = 4,
        **own: Any,
    ) -> None:
        self.sink = Kept()
        self.emulator = Emulator()
        cloud = settings(url) if url else CloudSettings.from_env({"HONGYAN_EMULATOR": "local"})
        cloud = replace(cloud, pool_size=pool_size)
        self.app = App.make(cloud, events or EventSettings(), ServerlessSettings(**own), environ or {}, self.sink)
        self.app.client.retry = Retry(sleep=lambda _: None)
        if not url:
            self.app.client.transport._session.mount("http://", EmulatorAdapter(self.emulator))
        self.lambda_ = Lambda(self.app)

    def __call__(self, event: Any, context: Any = None) -> dict[str, Any]:
        return self.lambda_.answer(event, context or Context())

    def outcomes(self) -> list[str]:
        """Return the outcomes of the events that left, sorted: threads have no order."""
        return sorted(event.data["outcome"] for event in self.sink.events)


def asks(payload: Any = PAYLOAD, operation: str = LIST, **more: Any) -> str:
    """Return a body that says itself what to run."""
    return json.dumps({"operation": operation, "payload": payload, **more})


def message(body: Any = None, id_: str = "m-1", group: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a message of SQS; one with a `group` is of a FIFO queue."""
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1545082649183",
        "SenderId": "AIDAEXAMPLE",
        "ApproximateFirstReceiveTimestamp": "1545082649185",
    }
    if group is not None:
        attributes |= {"MessageGroupId": group, "MessageDeduplicationId": id_, "SequenceNumber": "188496"}
    known = {
        "messageId": id_,
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": asks() if body is None else body,
        "attributes": attributes,
        "messageAttributes": {},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": QUEUE if group is None else FIFO,
        "awsRegion": "eu-west-1",
    }
    return known | more


def sqs(*messages: Any) -> dict[str, Any]:
    """Return a batch of SQS."""
    return {"Records": list(messages) or [message()]}


def notification(text: str, **more: Any) -> dict[str, Any]:
    """Return what SNS puts into a queue around a message."""
    known = {
        "Type": "Notification",
        "MessageId": "95df01b4-ee98-5cb9-9903-4c221d41eb5e",
        "TopicArn": TOPIC,
        "Subject": None,
        "Message": text,
        "Timestamp": "2019-01-02T12:45:07.000Z",
        "SignatureVersion": "1",
        "Signature": "tcc6faL2yUC6dgZdmrwh1Y4cGa/ebXEkAi6RibDsvpi+tE/1+82j",
        "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService.pem",
        "UnsubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=Unsubscribe",
    }
    return known | more


def sns(text: str, **more: Any) -> dict[str, Any]:
    """Return an event of SNS; its URLs are spelt otherwise than in a queue."""
    told = {"Type": "Notification", "MessageAttributes": {}} | notification(text, **more)
    told["SigningCertUrl"] = told.pop("SigningCertURL")
    told["UnsubscribeUrl"] = told.pop("UnsubscribeURL")
    subscription = f"{TOPIC}:21be56ed-a058-49f5-8c98-aedd2564c486"
    record = {"EventVersion": "1.0", "EventSubscriptionArn": subscription, "EventSource": "aws:sns", "Sns": told}
    return {"Records": [record]}


def eventbridge(detail: Any = None, **more: Any) -> dict[str, Any]:
    """Return an event of EventBridge."""
    known = {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": f"hongyan.{LIST}",
        "source": "com.example.monitoring",
        "account": "111122223333",
        "time": "2017-12-22T18:43:48Z",
        "region": "us-west-1",
        "resources": ["arn:aws:ec2:us-west-1:123456789012:instance/i-1234567890abcdef0"],
        "detail": PAYLOAD if detail is None else detail,
    }
    return known | more


def rest(path: Any = f"/functions/{LIST}", body: Any = None, **more: Any) -> dict[str, Any]:
    """Return a request through a REST API (payload format 1.0) whose caller IAM has proved."""
    written = json.dumps(PAYLOAD) if body is None else body
    identity = dict.fromkeys(("accessKey", "accountId", "apiKey", "caller", "cognitoAuthenticationType", "userAgent"))
    identity |= {"sourceIp": "203.0.113.9", "userArn": "arn:aws:iam::123456789012:user/monitoring"}
    known = {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": "POST",
        "headers": {"Content-Type": "application/json", "Host": "api.example"},
        "multiValueHeaders": {"Content-Type": ["application/json"], "Host": ["api.example"]},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": f"functions/{LIST}"},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "1234567890",
            "httpMethod": "POST",
            "identity": identity,
            "path": f"/prod{path}",
            "protocol": "HTTP/1.1",
            "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
            "resourcePath": "/{proxy+}",
            "stage": "prod",
        },
        "body": written,
        "isBase64Encoded": False,
    }
    return known | more


def http(path: Any = f"/functions/{LIST}", body: Any = None, method: str = "POST", **more: Any) -> dict[str, Any]:
    """Return a request through an HTTP API (payload format 2.0) whose caller a JWT authorizer has proved."""
    known = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "cookies": ["a=b"],
        "headers": {"content-type": "application/json", "host": "api.example"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "api-id",
            "authorizer": {"jwt": {"claims": {"sub": "monitoring"}, "scopes": None}},
            "domainName": "id.execute-api.eu-west-1.amazonaws.com",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"},
            "requestId": "id",
            "stage": "$default",
        },
        "body": json.dumps(PAYLOAD) if body is None else body,
        "isBase64Encoded": False,
    }
    return known | more


def url(path: Any = f"/functions/{LIST}", body: Any = None, **more: Any) -> dict[str, Any]:
    """Return a request through a function URL whose caller IAM has proved."""
    event = http(path, body, **more)
    iam = {"accessKey": "AKIAEXAMPLE", "cognitoIdentity": None, "userArn": "arn:aws:iam::123456789012:user/monitoring"}
    event["requestContext"] |= {
        "domainName": "abcdefgh.lambda-url.eu-west-1.on.aws",
        "authorizer": {"iam": iam},
    }
    return event


def without(event: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Return a copy of an event that lacks these top-level keys."""
    return {name: copy.deepcopy(value) for name, value in event.items() if name not in names}


def failed(answer: Mapping[str, Any]) -> list[str]:
    """Return the ids that an answer to SQS gives back."""
    assert answer.keys() == {"batchItemFailures"}
    assert all(each.keys() == {"itemIdentifier"} for each in answer["batchItemFailures"])
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def body_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON body of an HTTP answer that is what both payload formats take."""
    assert answer.keys() == {"statusCode", "headers", "body", "isBase64Encoded"}
    assert all(isinstance(value, str) for value in answer["headers"].values())
    assert answer["isBase64Encoded"] is False
    found: dict[str, Any] = json.loads(answer["body"])
    return found
