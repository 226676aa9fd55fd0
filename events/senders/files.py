"""Files of the operator, read without surprises: the senders file, and files with secrets or certificates that it names."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_WORDS = {
    errno.ENOENT: "there is no such file",
    errno.ENOTDIR: "there is no such file",
    errno.EACCES: "it may not be read by this process: permission denied",
    errno.EISDIR: "it is a directory, not a file",
}


class Unreadable(Exception):
    """A file cannot be read; the text says why and holds nothing of it."""


def read(path: Path, most: int) -> tuple[str, bool]:
    """Return a file's text (UTF-8, a byte order mark left out), and whether others than its owner may read it.

    Raises Unreadable as `content` does, and when it is not UTF-8.
    """
    raw, exposed = content(path, most)
    try:
        return raw.decode("utf-8-sig"), exposed
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8 text") from None


def content(path: Path, most: int) -> tuple[bytes, bool]:
    """Return a file's bytes, and whether others than its owner may read it.

    Raises Unreadable: absent, no regular file (a pipe could be waited for for ever), or over `most` bytes.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise Unreadable("it is no regular file")
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as error:
        raise Unreadable(_WORDS.get(error.errno or 0, f"it cannot be read: {error.strerror}")) from None
    except ValueError:
        raise Unreadable("this is no path of a file") from None
    if len(raw) > most:
        raise Unreadable(f"it is larger than {most // 1024} KiB")
    return raw, bool(mode & 0o077)
