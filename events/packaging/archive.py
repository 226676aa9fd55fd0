"""Files as a zip whose bytes follow from the files alone, and its place on the disk, which has either all of it or what was there."""

from __future__ import annotations

import io
import os
import stat
import zipfile
from typing import TYPE_CHECKING

from events.packaging import NotPackaged

if TYPE_CHECKING:
    from pathlib import Path

    from events.packaging import Files

# The first moment that a zip can name.
_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
# Readable for everybody: a platform runs functions as a user of its own.
_MODE = (stat.S_IFREG | 0o644) << 16
# What every zip of ours has.
_OURS = "functions/registry.py"


def zipped(files: Files) -> bytes:
    """Return the bytes of a zip: names sorted, one fixed time, one fixed mode."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, files[name], zipfile.ZIP_DEFLATED, 9)
    return raw.getvalue()


def check_place(output: Path, *, force: bool) -> None:
    """Raise NotPackaged when a zip may not be put there: over a folder, or, without `force`, over a file that is no zip of ours."""
    try:
        is_folder, is_there = output.is_dir(), output.exists()
    except OSError as error:
        raise NotPackaged(f"{output} is no path of a file: {error.strerror}") from None
    if is_folder:
        raise NotPackaged(f"{output} is a folder: name the zip in it with --output")
    if is_there and not force and not _is_ours(output):
        raise NotPackaged(
            f"{output} is there and is no zip of ours: --force replaces it, or choose another with --output"
        )


def put(raw: bytes, output: Path) -> None:
    """Write a zip, making its folder; until it is whole, what was there stays. Raises NotPackaged when that cannot be."""
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            unfinished.write_bytes(raw)
            unfinished.replace(output)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise NotPackaged(f"{output} cannot be written: {error.strerror}") from None


def _is_ours(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return _OURS in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
