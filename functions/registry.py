"""The folder is the registry: every file here with a `_` in its name is an operation, found by name and imported when asked for."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions.cloud.errors import UnknownOperation

if TYPE_CHECKING:
    from types import ModuleType

    from marshmallow import Schema

    from functions.cloud.client import Cloud

Call = Callable[[Mapping[str, Any], "Cloud"], Mapping[str, Any]]
Reconcile = Callable[[Mapping[str, Any], "Cloud"], "Mapping[str, Any] | None"]


class Undecided(Exception):
    """What the cloud shows now does not tell whether an earlier call took effect; the text says what was seen."""


class Partial(dict[str, Any]):
    """What a function returns when the call went through but some of its items did not: an answer like any other, marked."""


@dataclass(frozen=True, slots=True)
class Function:
    """One operation: its name (`apig.add_members`), its call, its schemas (instances, made once) and what is safe with it.

    `subject` is a template of the resource acted on, filled from the payload. `reads`: it changes nothing. `idempotent`: sent twice, it has
    the effect of once, so an answer that was lost may be asked for again. `reconcile` reads what became of an earlier call that nobody
    heard the end of: it returns an answer as `call` does when that took effect, None when it did not, and raises Undecided.
    """

    name: str
    call: Call
    payload: Schema
    result: Schema
    subject: str
    reads: bool = False
    idempotent: bool = False
    reconcile: Reconcile | None = None

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.call.__doc__ or "").strip().partition("\n")[0]


def function(
    *,
    payload: type[Schema],
    result: type[Schema],
    subject: str,
    reads: bool = False,
    idempotent: bool = False,
    reconcile: Reconcile | None = None,
) -> Callable[[Call], Function]:
    """Make a Function of the decorated call; its name is the operation's, with the first `_` for the dot."""

    def make(call: Call) -> Function:
        name = operation(call.__name__)
        return Function(name, call, payload(), result(), subject, reads, idempotent, reconcile)

    return make


def operation(name: str) -> str:
    """Return the name outside of a function's name: `apig_add_members` is `apig.add_members`."""
    return name.replace("_", ".", 1)


def names() -> list[str]:
    """Return the names of all operations, sorted; imports none of them."""
    return sorted(operation(name) for name in _files())


def find(name: str) -> Function:
    """Return the Function called `name`, importing its file only.

    Raises UnknownOperation, with the nearest names, when no file has it.
    """
    if name in _found:
        return _found[name]
    file = name.replace(".", "_", 1)
    if operation(file) != name or file not in _files():
        near = difflib.get_close_matches(name[:100], names(), 1)
        hint = f"did you mean {near[0]}?" if near else "the operations are " + ", ".join(names())
        raise UnknownOperation(f"there is no such operation; {hint}")
    found: Function = getattr(_import(file), file)
    _found[name] = found
    return found


_found: dict[str, Function] = {}


def _files() -> list[str]:
    import functions

    return [
        module.name for module in pkgutil.iter_modules(functions.__path__) if "_" in module.name and not module.ispkg
    ]


def _import(file: str) -> ModuleType:
    return importlib.import_module(f"functions.{file}")
