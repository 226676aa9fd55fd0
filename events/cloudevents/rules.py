"""What CloudEvents 1.0 allows in an attribute, for the event that is built of them.

Each rule takes a value and returns what is wrong with it and how to mend it, or None. No rule repeats a value that may
be long or hostile. Sources: CloudEvents spec.md ("Naming Conventions", "Type System"), RFC 3986, RFC 3339, RFC 9110.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

_SHOWN = 40
_INT32 = range(-(2**31), 2**31)

_NONCHARACTERS = "\ufdd0-\ufdef" + "".join(
    f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000)
)
_FORBIDDEN = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff{_NONCHARACTERS}]")
_NAME = re.compile("[a-z0-9]+")

# RFC 3986. A "%" counts as a character here and is looked at by itself, which keeps the patterns free of backtracking.
_REG_NAME = "A-Za-z0-9._~!$&'()*+,;=%-"
_PATH = f"[{_REG_NAME}:@/]*"
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*:")
_IP_LITERAL = rf"\[(?:[0-9A-Fa-f:.]+|[vV][0-9A-Fa-f]+\.[{_REG_NAME}:]+)\]"
_AUTHORITY = f"//(?:[{_REG_NAME}:]*@)?(?:{_IP_LITERAL}|[{_REG_NAME}]*)(?::[0-9]*)?(?:/{_PATH})?"
_TAIL = rf"(?:\?[{_REG_NAME}:@/?]*)?(?:#[{_REG_NAME}:@/?]*)?"
_REFERENCE = re.compile(f"(?:{_SCHEME.pattern}|(?=//)|(?![^/?#]*:))(?:{_AUTHORITY}|(?!//){_PATH}){_TAIL}")
BAD_PERCENT = re.compile("%(?![0-9A-Fa-f]{2})")
"""A percent sign that does not begin an escape."""

_TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)

# RFC 9110, section 5.6. Blanks belong either to the parameter after them or to the ";" after them, never to both.
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  A grammar's token, no secret.
_QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
_PARAMETER = re.compile(f";[ \t]*({_TOKEN})=({_TOKEN}|{_QUOTED})")
_MEDIA_TYPE = re.compile(f"{_TOKEN}/{_TOKEN}(?:[ \t]*;(?:[ \t]*{_TOKEN}=(?:{_TOKEN}|{_QUOTED}))?)*[ \t]*")


def shown(text: object) -> str | None:
    """Return a name or version as it may stand in a message: short and printable ASCII, else None."""
    short = isinstance(text, str) and 0 < len(text) <= _SHOWN and text.isascii() and text.isprintable()
    return str(text) if short else None


def specversion(value: object) -> str | None:
    """Only version 1.0 is spoken here."""
    if value == "1.0":
        return None
    sent = shown(value)
    return f'must be "1.0", not "{sent}"' if sent else 'must be "1.0"'


def string(value: object) -> str | None:
    """Apply the type String: no control characters, noncharacters or lone surrogates."""
    if not isinstance(value, str):
        return "must be a string"
    if (value.isascii() and value.isprintable()) or not _FORBIDDEN.search(value):
        return None
    return "holds a control character, a noncharacter or a lone surrogate: remove it"


def filled(value: object) -> str | None:
    """Apply the type String, not empty."""
    return "must not be empty" if value == "" else string(value)


def uri_reference(value: object) -> str | None:
    """Apply the type URI-reference (RFC 3986, section 4.1), not empty."""
    if not isinstance(value, str) or not value:
        return filled(value)
    if not _REFERENCE.fullmatch(value) or ("%" in value and BAD_PERCENT.search(value)):
        return "must be a URI-reference (RFC 3986): percent-encode every other character"
    return None


def absolute_uri(value: object) -> str | None:
    """Apply the type URI (RFC 3986, section 4.3): a scheme, and no fragment."""
    problem = uri_reference(value)
    if problem is None and (not _SCHEME.match(str(value)) or "#" in str(value)):
        return "must be an absolute URI (RFC 3986, section 4.3): a scheme such as https: first, and no #fragment"
    return problem


def timestamp(value: object) -> str | None:
    """Apply the type Timestamp (RFC 3339, section 5.6), on a day and at a time that exist."""
    if not isinstance(value, str) or not value:
        return filled(value)
    match = _TIME.fullmatch(value)
    return None if match and _exists(match) else "must be a real time in RFC 3339, such as 2024-01-31T08:00:00Z"


def _exists(match: re.Match[str]) -> bool:
    year, month, day, hour, minute, second = map(int, match.groups()[:6])
    offset_hour, offset_minute = int(match[8] or 0), int(match[9] or 0)
    try:
        date(year or 400, month, day)  # RFC 3339 has a year 0000, a leap year as 0400 is; `date` starts at 1.
    except ValueError:
        return False
    if hour > 23 or minute > 59 or offset_hour > 23 or offset_minute > 59:
        return False
    ahead = (offset_hour * 60 + offset_minute) * (-1 if match[7] == "-" else 1)
    last_minute_utc = (hour * 60 + minute - ahead) % 1440 == 1439
    return second < 60 or (second == 60 and last_minute_utc)  # RFC 3339, section 5.7: when a leap second may come.


def media_type(value: object) -> str | None:
    """Apply RFC 2046 in the grammar of RFC 9110, section 8.3.1; ASCII only, for it becomes a Content-Type."""
    if value == "application/json":
        return None
    if not isinstance(value, str) or not value:
        return filled(value)
    return None if _MEDIA_TYPE.fullmatch(value) else "must be a media type, such as application/json"


def extension(name: object, value: object) -> str | None:
    """Check one extension attribute: its name, then a String, a 32-bit Integer or a Boolean."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name == "data":
        return 'an attribute name is made of a-z and 0-9, and is not "data"'
    if isinstance(value, int):
        return None if value in _INT32 else "must be an integer of 32 bits: send a larger one as a string"
    return string(value) if isinstance(value, str) else "must be a string, an integer or a boolean"


def essence(media: str) -> str:
    """Return the `type/subtype` of a media type in lower case."""
    return media.partition(";")[0].strip().lower()


def is_json(media: str | None) -> bool:
    """Tell whether data of this media type is a JSON value: `*/json`, `*/*+json` or None (json-format.md, 3.1)."""
    return media is None or essence(media).endswith(("/json", "+json"))


def charset(media: str) -> str | None:
    """Return the charset parameter of a valid media type in lower case, if it has one."""
    for match in _PARAMETER.finditer(media):
        if match[1].lower() == "charset":
            return match[2].strip('"').lower()
    return None


CORE: Mapping[str, Callable[[Any], str | None]] = MappingProxyType(
    {
        "specversion": specversion,
        "id": filled,
        "source": uri_reference,
        "type": filled,
        "datacontenttype": media_type,
        "dataschema": absolute_uri,
        "subject": filled,
        "time": timestamp,
    }
)
"""Attributes that the specification itself defines, each with its rule."""

REQUIRED = ("specversion", "id", "source", "type")
"""Attributes that every event has."""
