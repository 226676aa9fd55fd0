"""Where secrets come from, and what is said of them: never themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.events.senders.support import SECRET, read, refused, warned

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("fakes")

FILES = {
    "good": f"{SECRET}\r\n".encode(),
    "bom": b"\xef\xbb\xbf" + SECRET.encode(),
    "empty": b"\n",
    "latin": b"fake-\xe9-secret",
    "large": b"x" * 65_537,
    "short": b"abc",
}
INLINE = 'a secret does not belong in this file: put it into a variable or a file of its own, and write { env = "MY_X_SECRET" }'


@pytest.fixture(autouse=True)
def _files(tmp_path: Path) -> None:
    for name, raw in FILES.items():
        (tmp_path / name).write_bytes(raw)
        (tmp_path / name).chmod(0o600)


def text(secrets: str, scheme: str = "plain") -> str:
    return f'[senders.my-x]\nscheme = "{scheme}"\noperations = ["*"]\nsecrets = {secrets}\n'


@pytest.mark.parametrize("name", ["good", "bom"])
@pytest.mark.parametrize("absolute", [True, False])
def test_a_secret_in_a_file(tmp_path: Path, name: str, absolute: bool) -> None:
    path = tmp_path / name
    senders = read(tmp_path, text(f'[{{ file = "{path if absolute else name}" }}]'))
    [secret] = senders["my-x"].secrets.each
    assert (secret.key, secret.origin) == ({"secret": SECRET}, f"file {path}")
    assert senders.warnings == ()


@pytest.mark.parametrize(
    ("secrets", "where", "told"),
    [
        # In the file itself.
        ('["abcdefgh"]', "[0]", INLINE),
        ('"abcdefgh"', "", INLINE),
        ('[{ value = "abcdefgh" }]', "[0].value", INLINE),
        ('[{ secret = "abcdefgh" }]', "[0].secret", INLINE),
        ('[{ token = "abcdefgh" }]', "[0].token", INLINE),
        ('[{ env = "SECRET", key = "abcdefgh" }]', "[0].key", INLINE),
        (
            '[{ env = "abc+/defgh=" }]',
            "[0].env",
            "must be the name of an environment variable, never the secret itself",
        ),
        ('[{ secret = { value = "abcdefgh" } }]', "[0].secret.value", INLINE),
        # In no place, in two, in a wrong one.
        ("[]", "", 'must be a list with at least one table: write secrets = [{ env = "MY_X_SECRET" }]'),
        ("{ env = 1 }", "", "must be a list with at least one table"),
        ("[{}]", "[0]", "says no place to take the secret from"),
        ("[{ until = 2030-01-01T00:00:00Z }]", "[0]", "says no place to take the secret from"),
        ('[{ env = "SECRET", file = "good" }]', "[0]", "says two places to take the secret from"),
        ("[5]", "[0]", "must be a table"),
        ("[{ env = 5 }]", "[0].env", "must be text in quotes"),
        ("[{ secret = 5 }]", "[0].secret", "must be a table"),
        ('[{ evn = "SECRET" }]', "[0].evn", "there is no such key; did you mean env?"),
        ('[{ secrte = { env = "SECRET" } }]', "[0].secrte", "there is no such key; did you mean secret?"),
        ("[{ zzz = 1 }]", "[0].zzz", "there is no such key; the keys are env, file, secret, until"),
        ('[{ secret = { evn = "SECRET" } }]', "[0].secret.evn", "there is no such key; did you mean env?"),
        # Variables and files that hold none.
        ('[{ env = "NOT_SET" }]', "[0].env", "the environment variable NOT_SET is not set"),
        ('[{ env = "not_set_and_maybe_a_secret" }]', "[0].env", "this environment variable is not set"),
        ('[{ env = "EMPTY" }]', "[0].env", "the environment variable EMPTY is empty"),
        ('[{ env = "BYTES" }]', "[0].env", "the environment variable BYTES is not UTF-8 text"),
        ('[{ file = "none" }]', "[0].file", "there is no such file (relative paths start at "),
        ('[{ file = "/none/at/all" }]', "[0].file", "there is no such file"),
        ('[{ file = "." }]', "[0].file", "it is a directory, not a file"),
        ('[{ file = "a\\u0000b" }]', "[0].file", "this is no path of a file"),
        ('[{ file = "empty" }]', "[0].file", "the file is empty"),
        ('[{ file = "latin" }]', "[0].file", "it is not UTF-8 text"),
        ('[{ file = "large" }]', "[0].file", "it is larger than 64 KiB"),
        # Secrets that the scheme refuses.
        ('[{ env = "SHORT" }]', "[0]", "secret must have at least 8 characters; this one has 3"),
        ('[{ env = "SECRET" }, { file = "short" }]', "[1]", "secret must have at least 8 characters; this one has 3"),
        # Ends.
        (
            '[{ env = "SECRET", until = 2030-01-01T00:00:00 }]',
            "[0].until",
            "has no offset: write 2030-01-01T00:00:00Z for UTC",
        ),
        (
            '[{ env = "SECRET", until = 2030-01-01 }]',
            "[0].until",
            "has no time: write 2030-01-01T00:00:00Z for its beginning",
        ),
        ('[{ env = "SECRET", until = "2030-01-01T00:00:00Z" }]', "[0].until", "must be a time without quotes"),
        ('[{ env = "SECRET", until = 1893456000 }]', "[0].until", "must be a time without quotes"),
        ('[{ env = "SECRET", until = 07:00:00 }]', "[0].until", "must be a time without quotes"),
        (
            '[{ secret = { env = "SECRET", until = 2030-01-01T00:00:00Z } }]',
            "[0].secret.until",
            "belongs beside the parts",
        ),
        ('[{ env = "SECRET", until = 2025-06-15T15:06:39Z }]', "", "all of these are past their `until`"),
        ('[{ env = "SECRET", until = 0001-01-01T00:00:00+23:59 }]', "", "all of these are past their `until`"),
    ],
)
def test_a_secret_that_cannot_be_had(tmp_path: Path, secrets: str, where: str, told: str) -> None:
    [line] = refused(tmp_path, text(secrets))
    assert line.startswith(f"senders.toml:4: senders.my-x.secrets{where}: {told}")
    assert "abc" not in line
    assert "maybe" not in line


PARTS = 'secrets = [{ encrypt_key = { env = "MY_X_ENCRYPT_KEY" }, token = { env = "MY_X_TOKEN" } }]'


@pytest.mark.parametrize(
    ("secrets", "expected"),
    [
        ('[{ env = "SECRET" }]', [f"[0]: a secret of feishu has parts with names: write {PARTS}"]),
        ('[{ encrypt_key = { env = "SECRET" } }]', [f"[0]: lacks token: write {PARTS}"]),
        ('[{ token = { env = "EMPTY" } }]', ["[0].token.env: the environment variable EMPTY is empty"]),
        ('[{ tokn = { env = "SECRET" } }]', ["[0].tokn: there is no such key; did you mean token?"]),
        (
            '[{ encrypt_key = "abcdefgh", token = { env = "SHORT" } }, { token = { env = "NONE" } }]',
            [
                f'[0].encrypt_key: {INLINE} or {{ file = "/run/secrets/my_x_secret" }}',
                "[1].token.env: the environment variable NONE is not set",
            ],
        ),
    ],
)
def test_a_secret_of_parts_that_cannot_be_had(tmp_path: Path, secrets: str, expected: list[str]) -> None:
    lines = refused(tmp_path, text(secrets, "feishu"))
    assert lines == [f"senders.toml:4: senders.my-x.secrets{told}" for told in expected]


def test_what_is_told_to_be_written_can_be(tmp_path: Path) -> None:
    head = '[senders.1password]\nscheme = "plain"\noperations = ["*"]\n'
    [line] = refused(tmp_path, head)
    written = line.split(": write ")[1]
    assert written == 'secrets = [{ env = "_1PASSWORD_SECRET" }]'
    [secret] = read(tmp_path, head + written, _1PASSWORD_SECRET=SECRET)["1password"].secrets.each
    assert secret.origin == "env _1PASSWORD_SECRET"


def test_a_scheme_without_secrets_has_none(tmp_path: Path) -> None:
    lines = refused(tmp_path, text('[{ env = "SECRET" }]', "topics") + "topics = []")
    assert lines == ["senders.toml:4: senders.my-x.secrets: topics has no secrets: leave this out"]


def test_a_sender_needs_a_secret(tmp_path: Path) -> None:
    lines = refused(tmp_path, '[senders.my-x]\nscheme = "feishu"\noperations = ["*"]')
    assert lines == [f"senders.toml:1: senders.my-x.secrets: is missing: write {PARTS}"]


@pytest.mark.parametrize("scheme", ["sealed", "certified"])
def test_a_library_that_is_missing_is_told_once(tmp_path: Path, scheme: str) -> None:
    lines = refused(tmp_path, text('[{ env = "SECRET" }, { env = "OTHER" }]', scheme))
    told = f"{scheme} needs the cryptography package: pip install 'cryptography>=43'"
    assert lines == [f"senders.toml:2: senders.my-x.scheme: {told}"]


# Warnings


@pytest.mark.parametrize(
    ("secrets", "told"),
    [
        ('[{ env = "SECRET" }, { file = "good" }]', "[1]: the same secret as senders.my-x.secrets[0]"),
        (
            '[{ env = "SECRET" }, { env = "OTHER", until = 2025-06-15T15:06:39Z }]',
            "[1].until: this secret counts no longer: remove it",
        ),
        ('[{ env = "TWO_LINES" }]', "[0].env: the environment variable TWO_LINES holds several lines; all of them"),
    ],
)
def test_what_is_unwise_is_a_warning(tmp_path: Path, secrets: str, told: str) -> None:
    [warning] = warned(read(tmp_path, text(secrets)))
    assert warning.startswith(f"senders.toml:4: senders.my-x.secrets{told}")
    assert "fake" not in warning


def test_a_secret_counts_at_its_end(tmp_path: Path) -> None:
    assert warned(read(tmp_path, text('[{ env = "SECRET", until = 2025-06-15T15:06:40Z }]'))) == []


def test_ends_far_away_are_cut_to_what_dates_reach(tmp_path: Path) -> None:
    secrets = '[{ env = "SECRET", until = 9999-12-31T23:59:59-23:59 }, { env = "OTHER", until = 0001-01-01T00:00:00Z }]'
    assert [one.until for one in read(tmp_path, text(secrets))["my-x"].secrets.each] == [253_402_300_799.0, 0.0]


def test_a_file_that_others_may_read(tmp_path: Path) -> None:
    (tmp_path / "good").chmod(0o644)
    told = "others than its owner may read this file: chmod 600"
    assert warned(read(tmp_path, text('[{ file = "good" }]'))) == [
        f"senders.toml:4: senders.my-x.secrets[0].file: {told}"
    ]


def test_two_senders_with_one_secret(tmp_path: Path) -> None:
    both = text('[{ env = "OTHER" }, { env = "SECRET" }]') + text('[\n  { file = "good" }]').replace("my-x", "y")
    told = "the same secret as senders.my-x.secrets[1]: who has it can pass for either of the two senders"
    assert warned(read(tmp_path, both)) == [f"senders.toml:9: senders.y.secrets[0]: {told}"]


def test_parts_make_one_secret_together(tmp_path: Path) -> None:
    first = text('[{ encrypt_key = { env = "SECRET" }, token = { env = "OTHER" } }]', "feishu")
    other = text('[{ encrypt_key = { env = "SECRET" }, token = { env = "lower_case" } }]', "feishu")
    assert warned(read(tmp_path, first + other.replace("my-x", "y"))) == []
    assert len(warned(read(tmp_path, first + first.replace("my-x", "y")))) == 1


def test_weak_setups(tmp_path: Path) -> None:
    bearer = text('[{ env = "SECRET" }]', "bearer")
    chat = text('[{ token = { env = "OTHER" } }]', "feishu").replace("my-x", "y")
    first, second = warned(read(tmp_path, chat + bearer))
    assert first.startswith("senders.toml:4: senders.y.secrets[0]: without an encrypt_key nothing is signed")
    assert second.startswith("senders.toml:6: senders.my-x.scheme: a token tells who sent a request, not what was sent")


def test_a_folder_whose_name_is_not_utf_8(tmp_path: Path) -> None:
    folder = tmp_path / "\udcff"
    folder.mkdir()
    (folder / "good").write_bytes(FILES["good"])
    [secret] = read(folder, text('[{ file = "good" }]'))["my-x"].secrets.each
    assert secret.origin == f"file {tmp_path}/?/good"
