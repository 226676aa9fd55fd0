"""Zips that serverless platforms run: the same bytes from the same sources, whoever packs them, wherever and when; for `flask package`."""

from __future__ import annotations

from collections.abc import Mapping

Files = Mapping[str, bytes]
"""What goes into a zip: each file's bytes by its name there, as `events/dispatch.py`."""


class NotPackaged(Exception):
    """Nothing was packed and no file was changed; the text says why, and what to do about it."""
