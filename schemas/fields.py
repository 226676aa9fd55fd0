"""The vocabulary of payloads: strict fields for what people send, each refusal naming the fix."""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_WRONG = 20
# Chinese letters, as the API pages allow them in names: the unified ideographs, extension A, and the ideographic zero.
HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff"
# The pages say nothing of control characters: they are refused, but for tab and line breaks, which a description may hold (its page forbids
# only < and >). Names and ids have patterns that let no white space through.
_PLAIN = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]*")


class Payload(Schema):
    """What people send: every field is checked, an unknown one is refused by name, and the JSON types must be right."""

    class Meta:
        """Unknown fields are refused."""

        unknown = RAISE

    error_messages = {"unknown": "Unknown field: remove it or correct its name.", "type": "Must be a JSON object."}


class Text(fields.String):
    """A string of characters that can be written as UTF-8 and shown; `pattern` must match all of it, `rule` says how in words."""

    default_error_messages = {"invalid": "Must be a string."}

    def __init__(self, *, pattern: str = "", rule: str = "", **options: Any) -> None:
        self._pattern = re.compile(pattern) if pattern else None
        self.rule = rule
        super().__init__(**options)
        if pattern:
            self.metadata = {**self.metadata, "pattern": f"^(?:{pattern})$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if not _PLAIN.fullmatch(value):
            raise ValidationError("Must not hold control characters or halves of surrogate pairs.")
        if self._pattern and not self._pattern.fullmatch(value):
            raise ValidationError(f"Must be {self.rule}.")
        return value


class ProjectId(Text):
    """A project's id: 32 hexadecimal characters in real life, 36 to 64 on one API page; 1 to 64 letters, digits and hyphens are taken.

    The pages have it in every path. A payload may leave it out: it is then the one of the settings.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern=r"[A-Za-z0-9-]{1,64}", rule="1 to 64 letters, digits and hyphens", **options)


class PathId(Text):
    """The id of a resource in the API's path: it is part of the result event's `target`. Its text is kept as it came.

    Most pages give it no form. Letters, digits, hyphens and underscores are all that any id of theirs has, and no such text can leave its
    place in a path.
    """

    def __init__(self, *, least: int = 1, most: int = 64, **options: Any) -> None:
        super().__init__(
            pattern=f"[A-Za-z0-9_-]{{{least},{most}}}",
            rule=f"{least} to {most} letters, digits, hyphens and underscores",
            required="load_default" not in options,
            **options,
        )


class AnyId(Text):
    """An id in a body or a query. The pages give these no form, so any short text without spaces is taken."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern=r"\S{1,64}", rule="1 to 64 characters without spaces", **options)


class Uuid(Text):
    """A UUID with or without its hyphens; its text is kept as it came."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            pattern="[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
            rule="a UUID, as 0df78897-35b0-4a93-ad17-0bc0585f546b",
            **options,
        )


class Address(Text):
    """An IPv4 or IPv6 address, kept as it came. A zone (`fe80::1%eth0`) is refused: it means something on one machine only."""

    def __init__(self, **options: Any) -> None:
        super().__init__(pattern="[0-9A-Fa-f.:]{2,45}", rule="an IPv4 or IPv6 address", **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            ipaddress.ip_address(text)
        except ValueError:
            raise ValidationError("Must be an IPv4 or IPv6 address.") from None
        return text


class Whole(fields.Integer):
    """A JSON integer from `least` to `most`; 1.0, "1" and true are refused."""

    default_error_messages = {"invalid": "Must be a whole number (a JSON integer)."}

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        super().__init__(strict=True, validate=validate.Range(min=least, max=most), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if type(value) is not int:
            raise self.make_error("invalid")
        return value


class Flag(fields.Boolean):
    """A JSON boolean; 1, "true" and "yes" are refused."""

    default_error_messages = {"invalid": "Must be true or false (a JSON boolean)."}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Items(fields.List[Any]):
    """A JSON array of `least` to `most` objects; its length is looked at first, and the first 20 that are wrong are told.

    No page gives greatest numbers; ours keep one payload from taking a process for seconds.
    """

    default_error_messages = {"invalid": "Must be a JSON array."}

    def __init__(self, schema: type[Schema], *, least: int = 1, most: int = 1000, **options: Any) -> None:
        self._least, self._most = least, most
        super().__init__(fields.Nested(schema), required=True, validate=validate.Length(least, most), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        if not self._least <= len(value) <= self._most:
            raise ValidationError(f"Must hold {self._least} to {self._most} items.")
        loaded: list[Any] = []
        wrong: dict[int, Any] = {}
        for index, item in enumerate(value):
            try:
                loaded.append(self.inner.deserialize(item, **kwargs))
            except ValidationError as error:  # noqa: PERF203 - each item has its own messages
                wrong[index] = error.messages
                if len(wrong) == _MOST_WRONG:
                    break
        if wrong:
            raise ValidationError(wrong)
        return loaded


def each_once(
    field: str, what: str, values: list[str], *, key: Callable[[str], str] = str.lower, mend: str = "Keep one of each."
) -> None:
    """Raise ValidationError on `field` when two of `values` are the same by `key`; the message names them and the mend."""
    counted = Counter(map(key, values))
    if repeated := [value for value in values if counted[key(value)] > 1]:
        raise ValidationError(f"The same {what} stands here more than once: {', '.join(repeated[:3])}. {mend}", field)
