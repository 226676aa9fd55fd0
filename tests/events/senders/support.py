"""Schemes that stand in for the real ones, and a senders file to read, for the tests of senders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from events.senders import Senders, SendersRefused
from events.signatures import BadOption, BadSecret, CryptoMissing, Fresh, Scheme, Signed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from events.senders import Mistake
    from events.signatures import Delivery

NOW = 1_750_000_000.0  # 2025-06-15T15:06:40Z
PROJECT = "0605767a3300d5762fb7c0186d9e1779"
SECRET = "fake-secret-of-a-test"
ENVIRON = {
    "SECRET": f" {SECRET}\n",
    "OTHER": "fake-other-secret",
    "SHORT": "abc",
    "EMPTY": " \n",
    "lower_case": "fake-lower-secret",
    "BYTES": "fake-\udcff-secret",
    "TWO_LINES": "fake-first-line\nfake-second-line",
}


class Plain(Scheme):
    """A scheme that wants eight characters."""

    name: ClassVar[str] = "plain"
    headers: ClassVar[tuple[str, ...]] = ("x-plain",)

    def key(self, parts: Mapping[str, str]) -> Any:
        for part, text in parts.items():
            if len(text) < 8:
                raise BadSecret(f"{part} must have at least 8 characters; this one has {len(text)}")
        return dict(parts)

    def read(self, delivery: Delivery) -> Signed:
        return Signed((delivery.header("x-plain"),), None)

    def matches(self, key: Any, signed: Signed) -> bool:
        return False

    def sign(self, key: Any, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002
        return Fresh(body)


class Feishu(Plain):
    name: ClassVar[str] = "feishu"
    parts: ClassVar[tuple[str, ...]] = ("encrypt_key", "token")
    optional_parts: ClassVar[tuple[str, ...]] = ("encrypt_key",)
    needs_https: ClassVar[bool] = True
    answer_within_s: ClassVar[float | None] = 3.0


class Paired(Plain):
    """A scheme whose optional part is not among its parts."""

    name: ClassVar[str] = "paired"
    parts: ClassVar[tuple[str, ...]] = ("token",)
    optional_parts: ClassVar[tuple[str, ...]] = ("salt",)


class Bearer(Plain):
    name: ClassVar[str] = "bearer"


class Topics(Plain):
    name: ClassVar[str] = "topics"
    parts: ClassVar[tuple[str, ...]] = ()
    headers: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[str, ...]] = ("topics", "region")

    def __init__(self, *, topics: Any = None, region: Any = "", window_s: float | None = None) -> None:
        super().__init__(window_s=window_s)
        if not isinstance(region, str):
            raise BadOption("region", "must be text")
        if self.window_s > 3600:
            raise BadOption("window_s", "must be at most 3600")
        if not isinstance(topics, list):
            raise BadOption("topics", "must be a list of topics")
        self.topics = tuple(topics)


class Sealed(Plain):
    name: ClassVar[str] = "sealed"

    def key(self, parts: Mapping[str, str]) -> Any:
        raise CryptoMissing("sealed")


class Certified(Plain):
    name: ClassVar[str] = "certified"

    def __init__(self, *, window_s: float | None = None) -> None:
        raise CryptoMissing("certified")


class Attached(Plain):
    """A scheme with a file among its options."""

    name: ClassVar[str] = "attached"
    parts: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[str, ...]] = ("letter",)
    files: ClassVar[tuple[str, ...]] = ("letter",)

    def __init__(self, *, letter: Any = None, window_s: float | None = None) -> None:
        super().__init__(window_s=window_s)
        if letter == b"":
            raise BadOption("letter", "must hold something")
        self.letter = letter


FAKES = {each.name: each for each in (Attached, Bearer, Certified, Feishu, Paired, Plain, Sealed, Topics)}

GOOD = """[senders.monitoring]
scheme = "plain"
secrets = [{ env = "SECRET" }]
operations = ["elb.list_members"]
"""


def read(folder: Path, text: str | bytes, **environ: str) -> Senders:
    """Read a senders file with this text; it may use `PROJECT` only."""
    file = folder / "senders.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Senders.read(str(file), {**ENVIRON, **environ}, allowed=PROJECT.__eq__, now=NOW)


def refused(folder: Path, text: str | bytes, **environ: str) -> list[str]:
    """Return the mistakes in a senders file as its reader tells them, without the file's folder."""
    with pytest.raises(SendersRefused) as caught:
        read(folder, text, **environ)
    file = str(folder / "senders.toml")
    assert caught.value.message == "\n".join(mistake.shown(file) for mistake in caught.value.mistakes)
    return [line.replace(f"{folder}/", "") for line in caught.value.message.split("\n")]


def warned(senders: Senders) -> list[str]:
    return [told(warning) for warning in senders.warnings]


def told(mistake: Mistake) -> str:
    return mistake.shown("senders.toml")
