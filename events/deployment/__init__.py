"""The template of a deployment held against the code, for `flask check`."""

from __future__ import annotations

from events.deployment.reading import NotATemplate, NoYAML
from events.deployment.tree import Mistake

__all__ = ["Mistake", "NoYAML", "NotATemplate"]
