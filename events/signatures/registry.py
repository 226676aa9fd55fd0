"""The folder is the registry: every module here with a `SCHEME` is a way to verify senders, found by its name."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import events.signatures

if TYPE_CHECKING:
    from events.signatures import Scheme


def names() -> list[str]:
    """Return the names of all schemes, sorted."""
    return sorted(name for name in _modules() if _scheme(name))


def find(name: str) -> type[Scheme] | None:
    """Return the scheme called `name`, None when there is none."""
    return _scheme(name) if name in _modules() else None


def _modules() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(events.signatures.__path__)]


def _scheme(module: str) -> type[Scheme] | None:
    return getattr(importlib.import_module(f"events.signatures.{module}"), "SCHEME", None)
