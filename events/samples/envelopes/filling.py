"""The markers in an envelope, and what takes their places, for whoever reads or writes one.

In text: `{{body}}` (the payload as JSON text), `{{operation}}`, `{{type}}` (`hongyan.<operation>`), `{{id}}`, `{{id.hex}}`, `{{number}}`
(which item it is, from 1), `{{sequence}}` (the same in 20 digits). A text `"{{payload}}"` alone is the payload itself, a JSON value.
`{"{{text}}": X}` is X as JSON text, `{"{{base64}}": X}` is a text X, or X as JSON text, in base64. `["{{each}}", X]` is a list of as many
X as are asked for.
"""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from events import strictjson

EACH = "{{each}}"
"""What a list begins with that repeats its second item."""

_MOST_BYTES = 64 * 1_048_576
_TEXT = "{{text}}"
_BASE64 = "{{base64}}"
_PAYLOAD = "{{payload}}"
_MARKER = re.compile(r"\{\{([a-z.]+)\}\}")
# Any fixed UUID: the same sample made twice has the same ids, as a redelivery has.
_IDS = uuid.UUID("0d5f1b6e-3c0a-5b51-8f35-6f0d2b7c9e42")


class Unfit(ValueError):
    """A payload cannot be carried so, or not so often; the text says why."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What takes the places of markers: `payload` (JSON in UTF-8) for an `operation`, `count` times; types begin with `prefix`."""

    kind: str
    operation: str
    payload: bytes = field(repr=False)
    count: int = 1
    prefix: str = "hongyan"
    number: int = 1

    def fill(self, value: Any) -> Any:
        """Return a JSON value with its markers replaced. Raises Unfit."""
        if isinstance(value, str):
            return self._payload() if value == _PAYLOAD else _MARKER.sub(lambda found: self._word(found[1]), value)
        if isinstance(value, list):
            repeats = value[:1] == [EACH]
            return self._each(value[1]) if repeats else [self.fill(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() == {_TEXT}:
            return _text(self.fill(value[_TEXT]))
        if value.keys() == {_BASE64}:
            inner = self.fill(value[_BASE64])
            text = inner if isinstance(inner, str) else _text(inner)
            return base64.b64encode(text.encode()).decode("ascii")
        return {key: self.fill(inner) for key, inner in value.items()}

    def _each(self, item: Any) -> list[Any]:
        if self.count * len(self.payload) > _MOST_BYTES:
            raise Unfit(f"so many payloads are more than {_MOST_BYTES} bytes: no platform hands over as much")
        return [replace(self, number=number).fill(item) for number in range(1, self.count + 1)]

    def _word(self, name: str) -> str:
        match name:
            case "body":
                return self._body()
            case "operation":
                return self.operation
            case "type":
                return f"{self.prefix}.{self.operation}"
            case "id":
                return str(self._id())
            case "id.hex":
                return self._id().hex
            case "number":
                return str(self.number)
            case "sequence":
                return f"{self.number:020d}"
        raise LookupError(f"there is no marker {name}")

    def _id(self) -> uuid.UUID:
        payload = hashlib.sha256(self.payload).hexdigest()
        return uuid.uuid5(_IDS, f"{self.kind}\n{self.operation}\n{self.number}\n{payload}")

    def _body(self) -> str:
        try:
            return self.payload.decode()
        except UnicodeDecodeError:
            raise Unfit("the payload is not UTF-8") from None

    def _payload(self) -> Any:
        try:
            return strictjson.loads(self.payload)
        except strictjson.NotJSON as error:
            raise Unfit(f"{self.kind} carries the payload as a JSON value: {error}") from None


def _text(value: Any) -> str:
    return strictjson.dumps(value).decode()
