"""Files of the operator's own that go into a zip, a senders file perhaps: nothing that hides our modules, and no secret."""

from __future__ import annotations

import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from events.packaging import NotPackaged
from events.senders import document, files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from events.packaging import Files

_MOST = 64 * 1_048_576
_IMPORTED = (".py", ".pyc", ".so")
_KEYS = frozenset({".jks", ".key", ".kdbx", ".p12", ".pfx"})
_KEY_NAMES = frozenset({"credentials", "id_dsa", "id_ecdsa", "id_ed25519", "id_rsa"})
# Where a senders file says that a secret is, and until when it counts.
_BY_REFERENCE = frozenset({"env", "file", "until"})


def included(given: Sequence[str], folder: Path) -> dict[str, bytes]:
    """Return files by their names in the zip, which are their paths from a folder; `given` as the operator wrote them.

    Raises NotPackaged for what cannot be read, is not below the folder, or is a secret by its looks.
    """
    found: dict[str, bytes] = {}
    for each in given:
        name = _name(each)
        try:
            found[name], _ = files.content(folder / name, _MOST)
        except files.Unreadable as error:
            raise _refused(each, str(error)) from None
        _check_key(name, found[name])
    for sender, secret in _secrets(found):
        if secret is None:
            raise _refused(sender, "it holds a secret, which belongs into an environment variable")
        if secret in found:
            raise _refused(secret, f"{sender} takes a secret from it, which belongs into an environment variable")
    return found


def check_free(extra: Files, packaged: Files) -> None:
    """Raise NotPackaged for a file that is in the package already, or that would be imported instead of what is."""
    taken = {PurePosixPath(name).parts[0].partition(".")[0] for name in packaged}
    for name in extra:
        first = PurePosixPath(name).parts[0].partition(".")[0]
        if name in packaged:
            raise _refused(name, "the package has a file of this name")
        if name.endswith(_IMPORTED) and (first in taken or first in sys.stdlib_module_names):
            raise _refused(name, f"it would be imported instead of the package's own {first}, or Python's")


def senders_files(extra: Files) -> list[str]:
    """Return the names of those files that are senders files."""
    return [name for name in extra if _senders(name, extra[name])]


def _name(given: str) -> str:
    path = PurePosixPath(Path(given).as_posix())
    if path.is_absolute() or ".." in path.parts or not path.parts:
        raise _refused(given, "name it by its path from this folder, which is its path in the zip too")
    if any(part.startswith(".") or part == "__pycache__" for part in path.parts):
        raise _refused(given, "hidden and compiled files never go into a zip: settings are environment variables there")
    return str(path)


def _check_key(name: str, raw: bytes) -> None:
    path = PurePosixPath(name)
    if path.suffix in _KEYS or path.stem in _KEY_NAMES or b"PRIVATE KEY-----" in raw:
        raise _refused(name, "it looks like a key, which belongs into the platform's store of secrets")


def _secrets(found: Files) -> Iterator[tuple[str, str | None]]:
    """Yield for each secret in senders files that file's name, and the file that the secret is in: None for the senders file itself."""
    for name, raw in found.items():
        for sender in _senders(name, raw).values():
            for value in _values(sender.get("secrets") if isinstance(sender, dict) else None):
                at = value.get("file") if isinstance(value, dict) else None
                if isinstance(value, str):
                    yield name, None
                elif isinstance(at, str):
                    yield name, str(PurePosixPath(name).parent / at)


def _values(given: Any) -> Iterator[Any]:
    """Yield the texts and tables that stand for secrets, however deep: texts under `env` and `file` only tell where one is."""
    if isinstance(given, list):
        for each in given:
            yield from _values(each)
    elif isinstance(given, dict):
        yield given
        for key, value in given.items():
            yield from () if key in _BY_REFERENCE else _values(value)
    elif isinstance(given, str):
        yield given


def _senders(name: str, raw: bytes) -> Mapping[str, Any]:
    if not name.endswith(".toml"):
        return {}
    try:
        senders = document.parse(raw.decode("utf-8-sig")).get("senders")
    except (UnicodeDecodeError, document.NotTOML) as error:
        raise _refused(name, str(error)) from None
    return senders if isinstance(senders, dict) else {}


def _refused(name: str, why: str) -> NotPackaged:
    return NotPackaged(f"--include {name}: {why}")
