"""What JSON Schema and OpenAPI have no words for: told to schemathesis here, each with its reason; loaded by the run, never by pytest."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any

import schemathesis
from marshmallow import ValidationError
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import AllowHeaderMismatch, RejectedPositiveData

from events.samples import sample
from functions.registry import find, names

if TYPE_CHECKING:
    from schemathesis import Case, HookContext, Response
    from schemathesis.core.failures import Failure


# Where the operation is in the event's type.
TYPED = ("/events", "/hooks/{sender}")
BASE64 = re.compile("(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


def map_body(context: HookContext, body: Any) -> Any:
    """Let half of what is drawn name what a fresh emulator knows, and base64 hold what contentSchema says: neither is drawn so."""
    operation = context.operation.path.removeprefix("/functions/") if context.operation else ""
    if not isinstance(body, dict) or operation not in (*names(), *TYPED):
        return body
    if operation in names() and "specversion" not in body:
        return known(operation, body)
    operation = str(body.get("type")).partition(".")[2] if operation in TYPED else operation
    if operation not in names():
        return body
    if isinstance(body.get("data"), dict):
        return {**body, "data": known(operation, body["data"])}
    packed = body.get("data_base64")
    if isinstance(packed, str) and len(packed) > 3 and BASE64.fullmatch(packed):
        return {**body, "data_base64": base64.b64encode(sample(operation)).decode()}
    return body


def known(operation: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Replace ids that are valid, so that nothing wrong is mended."""
    fields, ids = find(operation).payload.fields, json.loads(sample(operation))
    return {
        name: ids[name]
        if name.endswith("_id") and name in ids and is_valid(fields[name], value) and len(value) % 2
        else value
        for name, value in payload.items()
    }


def is_valid(field: Any, value: Any) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return False
    return True


def filter_failure(context: HookContext, failure: Failure, case: Case[Any], response: Response) -> bool:
    """Drop a failure that the answer itself shows to be none."""
    if isinstance(failure, RejectedPositiveData):
        taken = (
            asked_the_cloud(response)
            or repeats(response)
            or (has_whole_floats(case.body) and wants_an_integer(response))
        )
        return not (taken or is_in_the_senders_form(case))
    if isinstance(failure, AcceptedNegativeData):
        return not only_the_key_is_wrong(case)
    # Which methods are taken at /hooks/{sender} is the sender's: the document has those of all schemes.
    return not (isinstance(failure, AllowHeaderMismatch) and case.operation.path.startswith("/hooks/"))


def asked_the_cloud(response: Response) -> bool:
    """The payload was taken and the emulated cloud asked: that it does not know a drawn id is its answer, not our refusal."""
    data = result(response)
    return bool(data.get("outcome") == "failed" and data["upstream"]["attempts"])


def repeats(response: Response) -> bool:
    """'Each host once' is more than uniqueItems: the description says it, no keyword can."""
    messages = list(leaves((result(response).get("error") or {}).get("fields")))
    return bool(messages) and all("stands here more than once" in message for message in messages)


def has_whole_floats(value: Any) -> bool:
    """JSON Schema takes 1.0 for an integer; CloudEvents (JSON format, 2.2) and our payloads do not. The description says so."""
    if isinstance(value, (dict, list)):
        return any(map(has_whole_floats, value.values() if isinstance(value, dict) else value))
    return isinstance(value, float) and value.is_integer()


def wants_an_integer(response: Response) -> bool:
    return b"a whole number" in response.content or b"an integer or a boolean" in response.content


def is_in_the_senders_form(case: Case[Any]) -> bool:
    """What a body must hold that is no CloudEvent is said by the settings of its sender, not by the document."""
    return case.operation.path.startswith("/hooks/") and "cloudevents" not in (case.media_type or "")


def only_the_key_is_wrong(case: Case[Any]) -> bool:
    """Idempotency-Key is for bare payloads; OpenAPI cannot say that a header belongs to one of the media types."""
    wrong = [place.value for place, part in case.meta.components.items() if part.mode.is_negative] if case.meta else []
    return wrong == ["header"] and "cloudevents" in (case.media_type or "")


def result(response: Response) -> dict[str, Any]:
    try:
        found = json.loads(response.content)
    except ValueError:
        return {}
    data = found.get("data", found) if isinstance(found, dict) else {}
    return data if isinstance(data, dict) else {}


def leaves(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    return [str(item) for item in value] if isinstance(value, list) else []


for hook in (map_body, filter_failure):
    schemathesis.hook(hook)
