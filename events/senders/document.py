"""TOML, whichever library reads it: a text becomes a table, or a mistake with its line."""

from __future__ import annotations

import re
import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_DEPTH = 64
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_QUOTED = re.compile(r"""\(?['"].*['"](?:,?\))?""", re.DOTALL)
# What the parser expected or cannot have, such as ']' and '\x00': too short for a secret.
_SHORT = re.compile(r"""['"].{1,4}['"]""")
_NESTED = f"this is nested deeper than {_DEPTH} levels"


class NotTOML(ValueError):
    """The text is not TOML; `line` is counted from 1, None where it is not known. The text of the error repeats no value."""

    def __init__(self, line: int | None, told: str) -> None:
        super().__init__(told)
        self.line = line


def parse(text: str) -> dict[str, Any]:
    """Return the table that a TOML text is (https://toml.io/en/v1.0.0). Raises NotTOML, nothing else."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _told(str(error), text) from None
    except RecursionError:
        raise NotTOML(None, _NESTED) from None
    except ValueError:
        raise NotTOML(None, "this holds a number that is too long to be read") from None
    if _too_deep(table):
        raise NotTOML(None, _NESTED)
    return table


def _told(message: str, text: str) -> NotTOML:
    found = _WHERE.search(message)
    # It quotes keys as well, which may be secrets in the wrong place.
    what = _QUOTED.sub(
        lambda quoted: quoted[0] if _SHORT.fullmatch(quoted[0]) else "…", message[: found.start()] if found else message
    )
    if found and found[1]:
        return NotTOML(int(found[1]), f"this is not TOML: {what} (column {found[2]})")
    return NotTOML(len(text.rstrip("\n").split("\n")), f"this is not TOML: {what} (at the end)")


def _too_deep(value: Any) -> bool:
    """Tell without recursion: dotted keys nest without one, so the parser takes what whoever comes after it could not."""
    level = [value]
    for _ in range(_DEPTH):
        inner = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, (dict, list))]
        level = [item for items in inner for item in items]
        if not level:
            return False
    return True
