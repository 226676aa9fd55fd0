from __future__ import annotations

import dataclasses
import json
import logging
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from events import captures
from events.captures import Capture, Captures, NotACapture, redacted
from events.signatures import Refused
from events.triggers.http import HttpRequest
from tests.events.signatures.fakes import Fake, sender

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = 1_750_000_000.25
TOKEN = "fake-token-that-nobody-may-read"
REQUEST = HttpRequest(
    {
        "X-Fake": "abc",
        "Content-Type": "a/b",
        "Authorization": f"Bearer {TOKEN}",
        "Cookie": TOKEN,
        "X-Fake-Token": TOKEN,
        "X-Api-Key": TOKEN,
    },
    b'{"a":  1}',
    query={"access_token": [TOKEN], "private": [TOKEN], "nonce": ["7", "8"]},
    client="203.0.113.9",
)
REFUSED = Refused("signature_mismatch", "no secret of this sender makes this signature")


def kept(folder: Path) -> list[Capture]:
    return [Capture.from_json(file.read_bytes()) for file in sorted(folder.iterdir())]


def test_a_refused_request_is_kept_as_it_came_but_for_its_secrets(tmp_path: Path) -> None:
    Captures(str(tmp_path / "new" / "folder")).keep(sender(), REQUEST, REFUSED, NOW)
    [capture] = kept(tmp_path / "new" / "folder")
    assert capture == Capture(
        time=NOW,
        sender="monitoring",
        scheme="fake",
        reason="signature_mismatch",
        detail="no secret of this sender makes this signature",
        method="POST",
        headers={
            "x-fake": "abc",
            "content-type": "a/b",
            "authorization": "Bearer [redacted 31 characters]",
            "cookie": "[redacted 31 characters]",
            "x-fake-token": "[redacted 31 characters]",
            "x-api-key": "[redacted 31 characters]",
        },
        query={
            "access_token": ["[redacted 31 characters]"],
            "private": ["[redacted 31 characters]"],
            "nonce": ["7", "8"],
        },
        body=b'{"a":  1}',
        client="203.0.113.9",
    )


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    Captures(str(tmp_path / "c")).keep(sender(), REQUEST, REFUSED, NOW)
    [file] = (tmp_path / "c").iterdir()
    assert (stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)) == (0o600, 0o700)
    assert TOKEN.encode() not in file.read_bytes()
    assert file.name.startswith("1750000000250-monitoring-signature_mismatch-")


@pytest.mark.parametrize(
    "body",
    [
        '{"token": "%s"}',
        '{"a":[{"token" :\n"%s"}], "b": 1}',
        '{"token":"x\\"%s"}',
        '{"\\u0074oken": "%s"}',
        '{"token": ["%s"]}',
        '{"token": "%s"',
        '{"token": "%s", "token": 1}',
    ],
)
def test_a_token_in_an_unsigned_body_goes_too(body: str) -> None:
    request = dataclasses.replace(REQUEST, body=(body % TOKEN).encode())
    capture = redacted("monitoring", Fake(), request, REFUSED, NOW)
    assert TOKEN.encode() not in capture.body
    assert b"[redacted" in capture.body
    assert capture.redacted


def test_a_signed_body_is_kept_byte_for_byte() -> None:
    class Signing(Fake):
        secret_fields = ()

    request = dataclasses.replace(REQUEST, body=b'\xff {"token" : 1}')
    assert redacted("monitoring", Signing(), request, REFUSED, NOW).body == request.body


def test_what_is_not_ours_is_never_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "MOST_FILES", 2)
    for name in ("important.json", "1.json", "2024-backup.json", "1-a-b-c.json"):
        (tmp_path / name).write_text("{}")
    keeper = Captures(str(tmp_path))
    for second in range(4):
        keeper.keep(sender(), REQUEST, REFUSED, NOW + second)
    names = [file.name for file in tmp_path.iterdir()]
    assert {"important.json", "1.json", "2024-backup.json", "1-a-b-c.json"} <= {*names}
    assert len(names) == 4 + 2


def test_the_oldest_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "MOST_FILES", 3)
    keeper = Captures(str(tmp_path))
    for second in range(5):
        keeper.keep(sender(), REQUEST, REFUSED, NOW + second)
    assert [capture.time - NOW for capture in kept(tmp_path)] == [2, 3, 4]


def test_a_flood_is_kept_in_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "MOST_A_MINUTE", 3)
    keeper = Captures(str(tmp_path))
    for _ in range(10):
        keeper.keep(sender(), REQUEST, REFUSED, NOW)
    assert len(kept(tmp_path)) == 3
    keeper.keep(sender(), REQUEST, REFUSED, NOW + 20)
    assert len(kept(tmp_path)) == 4


def test_large_ones_make_room_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "MOST_BYTES", 5000)
    keeper = Captures(str(tmp_path))
    for second in range(3):
        keeper.keep(sender(), dataclasses.replace(REQUEST, body=b'"%s"' % (b"x" * 2000)), REFUSED, NOW + second)
    assert len(kept(tmp_path)) == 2


def test_a_file_that_another_process_removed_first_is_no_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(captures, "MOST_FILES", 1)
    monkeypatch.setattr(Path, "stat", _gone)
    (tmp_path / "1.json").write_bytes(b"")
    assert captures._size(tmp_path / "1.json") == 0


def _gone(*_: Any, **__: Any) -> None:
    raise FileNotFoundError


def test_a_folder_that_cannot_be_written_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    with caplog.at_level(logging.WARNING, "hongyan"):
        Captures(str(tmp_path / "file")).keep(sender(), REQUEST, REFUSED, NOW)
    assert [record.message for record in caplog.records] == ["capture.failed"]


def _changed(**fields: Any) -> bytes:
    good = json.loads(redacted("monitoring", Fake(), REQUEST, REFUSED, NOW).to_json())
    return json.dumps(good | fields).encode()


BROKEN: Sequence[bytes] = [
    b"",
    b"[]",
    b"{}",
    b'{"hongyan": "capture/1"}',
    _changed(hongyan="capture/2"),
    _changed(time="yesterday"),
    _changed(time=7),
    _changed(body="!"),
    _changed(body=None),
    _changed(sender=None),
    _changed(headers=["a"]),
    _changed(headers={"a": 1}),
    _changed(query={"a": "b"}),
    _changed(query=None),
    _changed(redacted="no"),
    _changed(extra=1),
]


@pytest.mark.parametrize("raw", BROKEN)
def test_what_is_no_capture_is_told(raw: bytes) -> None:
    with pytest.raises(NotACapture, match="capture"):
        Capture.from_json(raw)
