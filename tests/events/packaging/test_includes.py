from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from events.packaging import NotPackaged
from events.packaging.includes import check_free, included, senders_files

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """[senders.a]
scheme = "github"
secrets = [{ env = "A_SECRET", until = 2030-01-01T00:00:00Z }, { file = "/run/secrets/a" }]
operations = ["elb.list_members"]
[senders.b]
secrets = [{ token = { env = "TOKEN" }, encrypt_key = { file = "keys/b" } }]
[senders.c]
"""


def put(folder: Path, name: str, text: str | bytes) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)


def refusal(folder: Path, *given: str) -> str:
    with pytest.raises(NotPackaged) as caught:
        included(given, folder)
    return str(caught.value)


def test_files_are_named_by_their_paths_from_the_folder(tmp_path: Path) -> None:
    put(tmp_path, "senders.toml", GOOD)
    put(tmp_path, "conf/roots.pem", "-----BEGIN CERTIFICATE-----")
    found = included(["./senders.toml", "conf//roots.pem"], tmp_path)
    assert found == {"senders.toml": GOOD.encode(), "conf/roots.pem": b"-----BEGIN CERTIFICATE-----"}
    assert senders_files(found) == ["senders.toml"]


@pytest.mark.parametrize("given", ["/etc/hostname", "../senders.toml", "a/../../b", ".", ""])
def test_a_path_that_leads_elsewhere_is_refused(given: str, tmp_path: Path) -> None:
    assert refusal(tmp_path, given) == (
        f"--include {given}: name it by its path from this folder, which is its path in the zip too"
    )


@pytest.mark.parametrize("given", [".env", "conf/.env.local", ".venv/lib/x.py", "a/__pycache__/x.pyc"])
def test_what_is_hidden_or_compiled_is_refused(given: str, tmp_path: Path) -> None:
    put(tmp_path, given, "X=1")
    assert "hidden and compiled files never go into a zip" in refusal(tmp_path, given)


@pytest.mark.parametrize("given", ["none.toml", "folder"])
def test_what_cannot_be_read_is_refused(given: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert refusal(tmp_path, given).startswith(f"--include {given}: ")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tls.key", "x"),
        ("id_rsa", "x"),
        ("aws/credentials", "x"),
        ("store.p12", "x"),
        ("server.pem", "-----BEGIN CERTIFICATE-----\n-----BEGIN EC PRIVATE KEY-----\n"),
    ],
)
def test_what_looks_like_a_key_is_refused(name: str, text: str, tmp_path: Path) -> None:
    put(tmp_path, name, text)
    assert refusal(tmp_path, name) == (
        f"--include {name}: it looks like a key, which belongs into the platform's store of secrets"
    )


@pytest.mark.parametrize(
    "secrets",
    [
        '"fake-secret"',
        '["fake-secret"]',
        '[{ secret = "fake-secret" }]',
        '[{ token = "fake-secret" }]',
        '[{ a = { b = "x" } }]',
    ],
)
def test_a_secret_that_stands_in_a_senders_file_is_refused_and_not_repeated(secrets: str, tmp_path: Path) -> None:
    put(tmp_path, "senders.toml", f"{GOOD}secrets = {secrets}\n")
    said = refusal(tmp_path, "senders.toml")
    assert said == "--include senders.toml: it holds a secret, which belongs into an environment variable"


def test_a_file_that_a_sender_takes_its_secret_from_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "conf/senders.toml", GOOD)
    put(tmp_path, "conf/keys/b", "fake-secret")
    assert refusal(tmp_path, "conf/senders.toml", "conf/keys/b") == (
        "--include conf/keys/b: conf/senders.toml takes a secret from it, which belongs into an environment variable"
    )


@pytest.mark.parametrize("text", [b"senders = [", b"\xff"])
def test_toml_that_is_none_is_refused(text: bytes, tmp_path: Path) -> None:
    put(tmp_path, "senders.toml", text)
    assert refusal(tmp_path, "senders.toml").startswith("--include senders.toml: ")


@pytest.mark.parametrize("text", ["", "senders = 1", "[other]\nsecrets = 'x'", "[senders]\na = 1\n"])
def test_toml_of_another_kind_holds_no_senders(text: str, tmp_path: Path) -> None:
    put(tmp_path, "other.toml", text)
    found = included(["other.toml"], tmp_path)
    assert list(found) == ["other.toml"]


PACKAGED = {"events/dispatch.py": b"", "index.py": b"", "requests/api.py": b"", "requests-2.dist-info/METADATA": b""}


@pytest.mark.parametrize("name", ["senders.toml", "requests/notes.txt", "json/table.csv", "mine.py", "mine/json.py"])
def test_what_hides_nothing_may_go_in(name: str) -> None:
    check_free({name: b""}, PACKAGED)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("index.py", "the package has a file of this name"),
        ("events/dispatch.py", "the package has a file of this name"),
        ("events/cli/send.py", "it would be imported instead of the package's own events, or Python's"),
        ("events.py", "it would be imported instead of the package's own events, or Python's"),
        ("index.so", "it would be imported instead of the package's own index, or Python's"),
        ("json.py", "it would be imported instead of the package's own json, or Python's"),
        ("json.cpython-313-x86_64-linux-gnu.so", "it would be imported instead of the package's own json, or Python's"),
        ("requests/mine.py", "it would be imported instead of the package's own requests, or Python's"),
    ],
)
def test_what_would_hide_a_module_is_refused(name: str, said: str) -> None:
    with pytest.raises(NotPackaged) as caught:
        check_free({name: b""}, PACKAGED)
    assert str(caught.value) == f"--include {name}: {said}"
