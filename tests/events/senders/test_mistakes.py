"""Mistakes in a senders file: every one is told, with its line and its fix."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from events.senders import Mistake, Senders, SendersRefused
from functions.cloud.errors import ConfigurationError
from functions.registry import names
from tests.events.senders.support import ENVIRON, FAKES, GOOD, refused

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("fakes")

ALL = ", ".join(names())
SCHEMES = ", ".join(sorted(FAKES))


@pytest.mark.parametrize(
    ("line", "where", "told"),
    [
        ("https = 1", "https", "must be true or false"),
        ("async = 1", "async", "must be true or false"),
        ("rate = 5", "rate", 'must be text in quotes, like "60/minute"'),
        ("window_s = 0", "window_s", "must be a number of seconds from 1 to 86400"),
        ("window_s = 86_401", "window_s", "must be a number of seconds"),
        ("window_s = nan", "window_s", "must be a number of seconds"),
        ("window_s = true", "window_s", "must be a number of seconds"),
        ('window_s = "5"', "window_s", "must be a number of seconds"),
        ("windows_s = 5", "windows_s", "there is no such key; did you mean window_s?"),
        ("zzz = 5", "zzz", "there is no such key; the keys are scheme, secrets, operations, operation, projects, rate"),
        ("'a\\nb' = 5", '"a\\\\nb"', "there is no such key"),
        ("topics = []", "topics", "there is no such key"),
        ('secret = "abcdefgh"', "secret", "there is no such key; did you mean secrets?"),
        ('projects = "a"', "projects", 'must be a list, like ["0605767a3300d5762fb7c0186d9e1779"]'),
        (
            'projects = ["other"]',
            "projects[0]",
            "the server may not use project other: add it to HONGYAN_ALLOWED_PROJECTS",
        ),
        ('projects = ["a/b"]', "projects[0]", "'a/b' is no project id"),
        ("projects = [5]", "projects[0]", "must be text in quotes"),
        (
            'operation = "apig.add_members"',
            "operation",
            "'apig.add_members' is not among this sender's operations, elb.list",
        ),
        ("operation = 5", "operation", "must be text in quotes"),
        ('origins = ["https://example.com"]', "origins[0]", "'https://example.com' is no host: write its name alone"),
        ('origins = ["-a"]', "origins[0]", "'-a' is no host"),
        ('origins = "*"', "origins", "must be a list"),
        ('payload = "a.b"', "payload", 'a JSON pointer begins with "/", like "/deployment/payload"'),
        ('payload = "#/a"', "payload", 'a JSON pointer begins with "/"'),
        ('payload = "/a~2"', "payload", 'in a JSON pointer "~" is written ~0, and "/" inside a name ~1'),
        ('payload = "/a~"', "payload", 'in a JSON pointer "~" is written ~0'),
        ("payload = 5", "payload", "must be a JSON pointer, like"),
        ('payload = { a = { at = "x" } }', "payload.a.at", 'a JSON pointer begins with "/"'),
        ("payload = { a = { at = 5 } }", "payload.a.at", "must be text in quotes"),
        ('payload = { a = { at = "/x", b = 1 } }', "payload.a", "`at` stands alone in its table"),
        ('payload = { a = [1, { b = { at = "x" } }] }', "payload.a[1].b.at", 'a JSON pointer begins with "/"'),
        ("payload = { a = 2030-01-01T00:00:00Z }", "payload.a", "JSON has no dates or times: write it as text"),
        ("payload = { a = [07:00:00] }", "payload.a[0]", "JSON has no dates or times"),
        ("payload = { a = 2030-01-01 }", "payload.a", "JSON has no dates or times"),
        ("payload = { a = 9223372036854775808 }", "payload.a", "a whole number beyond 64 bits"),
        ("payload = { a = [-9223372036854775809] }", "payload.a[0]", "a whole number beyond 64 bits"),
        (f"payload = {{ a = 0x{'f' * 5000} }}", "payload.a", "a whole number beyond 64 bits"),
        ("payload = { a = inf }", "payload.a", "JSON has no such number"),
        *(
            (f'rate = "{rate}"', "rate", f"'{rate}' is no rate: write a number per second, minute, hour, day")
            for rate in ("60", "60/min", "0/minute", "-1/minute", "1.5/minute", "60 / minute", "060/day", "1e3/day")
        ),
    ],
)
def test_a_setting_that_cannot_be(tmp_path: Path, line: str, where: str, told: str) -> None:
    [mistake] = refused(tmp_path, GOOD + "\n" + line)
    assert mistake.startswith(f"senders.toml:6: senders.monitoring.{where}: {told}")
    assert "abcdefgh" not in mistake


@pytest.mark.parametrize(
    ("operations", "told"),
    [
        ('["elb.list_member"]', "[0]: there is no operation 'elb.list_member'; did you mean elb.list_members?"),
        ('["*", "zzz"]', f"[1]: there is no operation 'zzz'; there are {ALL}"),
        ('"*"', ': must be a list, like ["elb.list_members"]'),
        ("[]", f": is empty, so that this sender may do nothing; there are {ALL}"),
        ("[true]", '[0]: must be text in quotes, like in ["elb.list_members"]'),
    ],
)
def test_operations_that_cannot_be(tmp_path: Path, operations: str, told: str) -> None:
    text = GOOD.replace('["elb.list_members"]', operations) + 'operation = "elb.list_members"'
    assert refused(tmp_path, text)[0] == f"senders.toml:4: senders.monitoring.operations{told}"


def test_a_payload_from_elsewhere_needs_an_operation(tmp_path: Path) -> None:
    [mistake] = refused(tmp_path, GOOD.replace('"elb.list_members"', '"*"') + 'payload = "/a"')
    assert mistake.startswith(
        "senders.toml:1: senders.monitoring.operation: is missing: a payload taken from elsewhere"
    )


@pytest.mark.parametrize(
    ("scheme", "told"),
    [
        ('"plian"', "there is no scheme 'plian'; did you mean plain?"),
        ('"zzz"', f"this is no scheme; there are {SCHEMES}"),
        ('"whsec_ZmFrZS1zZWNyZXQtZm9y"', f"this is no scheme; there are {SCHEMES}"),
        ("5", 'must be text in quotes, like "standard"'),
    ],
)
def test_a_scheme_that_is_none(tmp_path: Path, scheme: str, told: str) -> None:
    text = GOOD.replace('"plain"', scheme) + "topics = 5\nzzz = 5\nwindow_s = 0\nsecret = 1"
    first, *more = refused(tmp_path, text.replace('"SECRET"', '"EMPTY"'))
    assert first == f"senders.toml:2: senders.monitoring.scheme: {told}"
    assert [line.split(": ")[1] for line in more] == [
        "senders.monitoring.secrets[0].env",
        "senders.monitoring.zzz",
        "senders.monitoring.window_s",
        "senders.monitoring.secret",
    ]


def test_secrets_of_a_scheme_that_is_none_are_looked_at_all_the_same(tmp_path: Path) -> None:
    secrets = '[{ a = { env = "NONE" }, b = "abcdefgh" }, { c = { env = "SECRET" } }]'
    lines = refused(tmp_path, GOOD.replace("plain", "zzz").replace('[{ env = "SECRET" }]', secrets))
    assert [line.split(": ")[1] for line in lines[1:]] == [
        "senders.monitoring.secrets[0].b",
        "senders.monitoring.secrets[0].a.env",
    ]


def test_what_must_be_there_is_asked_for_at_the_senders_line(tmp_path: Path) -> None:
    operations = f'write operations = ["elb.list_members"], or ["*"] for all; there are {ALL}'
    assert refused(tmp_path, "\n\n[senders.my-x]\n") == [
        f'senders.toml:3: senders.my-x.scheme: is missing: write scheme = "standard"; there are {SCHEMES}',
        'senders.toml:3: senders.my-x.secrets: is missing: write secrets = [{ env = "MY_X_SECRET" }]',
        f"senders.toml:3: senders.my-x.operations: is missing: {operations}",
    ]


def test_each_option_that_its_scheme_refuses_is_told(tmp_path: Path) -> None:
    text = '[senders.x]\nscheme = "topics"\noperations = ["*"]\nregion = 5\ntopics = 5\nwindow_s = 3601'
    assert refused(tmp_path, text) == [
        "senders.toml:4: senders.x.region: must be text",
        "senders.toml:5: senders.x.topics: must be a list of topics",
        "senders.toml:6: senders.x.window_s: must be at most 3600",
    ]


@pytest.mark.parametrize(
    ("letter", "told"),
    [
        ("5", 'must be text in quotes, like "roots.pem", the path of a file'),
        ('"none"', "there is no such file (relative paths start at "),
        ('"/none/at/all"', "there is no such file"),
        ('"pipe"', "it is no regular file"),
        ('"/dev/zero"', "it is no regular file"),
        ('"large"', "it is larger than 4096 KiB"),
        ('"."', "it is a directory, not a file"),
        ('"a\\u0000"', "this is no path of a file"),
        ('"empty"', "must hold something"),
    ],
)
def test_an_option_that_is_a_file_cannot_be_just_any(tmp_path: Path, letter: str, told: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes((4 << 20) + 1))
    (tmp_path / "empty").touch()
    [line] = refused(tmp_path, f'[senders.x]\nscheme = "attached"\noperations = ["*"]\nletter = {letter}')
    assert line.startswith(f"senders.toml:4: senders.x.letter: {told}")


def test_an_option_that_is_missing_is_told_once(tmp_path: Path) -> None:
    text = '[senders.x]\nscheme = "topics"\noperations = ["*"]'
    assert refused(tmp_path, text) == ["senders.toml:1: senders.x.topics: must be a list of topics"]


@pytest.mark.parametrize(
    "name", ["Monitoring", "-a", "a_b", '"a b"', '"a/b"', '""', '"雁"', "a" * 64, '"a\\nb"', '"a."']
)
def test_a_name_that_cannot_be_in_a_path(tmp_path: Path, name: str) -> None:
    [mistake] = refused(tmp_path, GOOD.replace("monitoring", name))
    assert mistake.startswith("senders.toml:1: senders.")
    assert mistake.endswith(
        ": a name is part of a path: 1 to 63 lower-case letters, digits and hyphens, no hyphen first"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "",
            [
                "senders.toml: senders: there are no senders: begin one with [senders.<name>]; `flask senders example` shows how"
            ],
        ),
        ("\n# nothing", ["senders.toml: senders: there are no senders"]),
        ("\n[senders]", ["senders.toml:2: senders: there are no senders"]),
        (
            "\n[sender.a]",
            [
                "senders.toml: senders: there are no senders",
                "senders.toml:2: sender: there is no such key; did you mean senders?",
            ],
        ),
        ("[[senders]]", ["senders.toml:1: senders: must be a table, like [senders.<name>]"]),
        ("senders = 5", ["senders.toml:1: senders: must be a table, like [senders.<name>]"]),
        ("senders.a = 5", ["senders.toml:1: senders.a: must be a table, like [senders.a]"]),
        ("title = 1\n" + GOOD, ["senders.toml:1: title: there is no such key; the keys are senders"]),
        (GOOD + 'scheme = "plain"', ["senders.toml:5: this is not TOML: Cannot overwrite a value"]),
        (GOOD + GOOD, ["senders.toml:5: this is not TOML: Cannot declare … twice"]),
        ("a = " + "[" * 70 + "]" * 70, ["senders.toml: this is nested deeper than 64 levels"]),
        (b"\xff", ["senders.toml: it is not UTF-8 text"]),
        (b"#" * (1024 * 1024 + 1), ["senders.toml: it is larger than 1024 KiB"]),
    ],
)
def test_a_file_that_holds_no_senders(tmp_path: Path, text: str | bytes, expected: list[str]) -> None:
    lines = refused(tmp_path, text)
    assert len(lines) == len(expected)
    assert all(line.startswith(told) for line, told in zip(lines, expected, strict=True))


def test_a_file_that_is_none(tmp_path: Path) -> None:
    for path, told in ((tmp_path / "none", "there is no such file"), (tmp_path, "it is a directory, not a file")):
        with pytest.raises(SendersRefused) as caught:
            Senders.read(str(path), {}, allowed=lambda _: True)
        assert caught.value.message == f"{path}: {told}"
        assert caught.value.mistakes == (Mistake(None, "", told),)
        assert isinstance(caught.value, ConfigurationError)


def test_all_mistakes_of_all_senders_are_told_in_the_order_of_lines(tmp_path: Path) -> None:
    text = """[senders.a]
rate = 1
scheme = "zzz"
secrets = ["abcdefgh"]
[senders.b]
operations = ["zzz"]
secrets = [{ env = "SECRET" }, 5]
scheme = "plain"
[senders.a.payload]
x = 07:00:00
[senders]
c = { scheme = "plain" }
"""
    lines = refused(tmp_path, text)
    found = [(int(line.split(":")[1]), line.split(": ")[1]) for line in lines]
    assert found == [
        (1, "senders.a.operations"),
        (2, "senders.a.rate"),
        (3, "senders.a.scheme"),
        (4, "senders.a.secrets[0]"),
        (6, "senders.b.operations[0]"),
        (7, "senders.b.secrets[1]"),
        (10, "senders.a.payload.x"),
        (12, "senders.c.secrets"),
        (12, "senders.c.operations"),
    ]


@pytest.mark.parametrize(
    "value", ["5", "true", "[5]", '["zzz"]', '"zzz"', "{ zzz = 5 }", "[[]]", "2030-01-01", "[{ zzz = {} }]"]
)
@pytest.mark.parametrize(
    "key",
    [
        "scheme",
        "secrets",
        "operations",
        "operation",
        "projects",
        "rate",
        "window_s",
        "payload",
        "origins",
        "https",
        "async",
    ],
)
def test_no_value_of_any_key_crashes_the_reader(tmp_path: Path, key: str, value: str) -> None:
    rest = [line for line in GOOD.splitlines() if not line.startswith(f"{key} ")]
    file = tmp_path / "senders.toml"
    file.write_text("\n".join([*rest, f"{key} = {value}"]))
    kept: Any = None
    try:
        kept = Senders.read(str(file), ENVIRON, allowed=lambda _: True)
    except SendersRefused as error:
        assert all(mistake.where.startswith("senders.monitoring") for mistake in error.mistakes)  # noqa: PT017
    assert kept is None or (key, value) in [
        ("projects", '["zzz"]'),
        ("window_s", "5"),
        ("payload", "{ zzz = 5 }"),
        ("https", "true"),
        ("async", "true"),
        ("origins", '["zzz"]'),
    ]
