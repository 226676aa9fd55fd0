"""What apispec misses of this project's marshmallow fields: patterns of every language, addresses, vocabularies, rules in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from schemas.answers import SaidWord
from schemas.fields import Address, Text

if TYPE_CHECKING:
    from marshmallow import fields

# Characters of classes in regular expressions, written as every language of JSON Schema's tools reads them. No payload holds a control
# character but tab and line breaks (`schemas.fields.Text`); Python's white space has some more in it than ECMA-262's, and one less.
_CONTROLS = r"\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f"
_NO_SPACE = r"[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]"
PLAIN = f"^[^{_CONTROLS}]*$"
"""Any text that a payload may hold."""


def exact(converter: Any, field: fields.Field[Any], ret: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - as apispec calls it
    """Return what is to be changed of a field's JSON Schema `ret`, as apispec's own functions made it."""
    if isinstance(field, SaidWord):
        return _vocabulary(field, ret)
    return _text(field, ret) if isinstance(field, Text) else {}


def portable(pattern: str) -> str:
    r"""Return a pattern of `Text` that says the same in Python, ECMA-262 and Rust.

    The dialects disagree on what `\S` is, and a class of everything but some characters would let control characters through.
    """
    bare = pattern.removeprefix("^(?:").removesuffix(")$")
    inner = bare.replace("[^", f"[^{_CONTROLS}").replace(r"\S", _NO_SPACE)
    return f"^(?:{inner})$" if "|" in inner else f"^{inner}$"


def _text(field: Text, ret: dict[str, Any]) -> dict[str, Any]:
    told = "; ".join(text for text in (field.metadata.get("description"), field.rule) if text)
    changes: dict[str, Any] = {"description": told} if told else {}
    if isinstance(field, Address):
        # The pattern is a first sieve only: what the standard library takes for an address is exactly these two formats.
        ret.pop("pattern")
        return {**changes, "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
    if "enum" in ret:
        return changes
    return {**changes, "pattern": portable(ret["pattern"]) if "pattern" in ret else PLAIN}


def _vocabulary(field: SaidWord, ret: dict[str, Any]) -> dict[str, Any]:
    if "enum" in ret:
        return {}
    words: dict[str | None, None] = dict.fromkeys([*field._words.values(), field._other])
    return {"enum": list(words)}
