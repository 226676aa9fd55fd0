"""The senders file with the real schemes, and the sample file, which must work as its comments say."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.senders import Rate, Senders, SendersRefused
from events.senders.payload import apply
from events.senders.reader import KEYS
from events.signatures import BadOption, Verified, registry
from tests.events.senders.support import NOW, refused
from tests.events.signatures.pki import root, with_negative_serial

if TYPE_CHECKING:
    from events.signatures import Scheme

SAMPLE = resources.files("events.samples").joinpath("senders.toml").read_text(encoding="utf-8")
EXPORTS = dict(re.findall(r"^#   export (\w+)=(\S+)$", SAMPLE, re.MULTILINE))
TEXTS = {
    "standard": {"secret": "whsec_ZmFrZS1zZWNyZXQtZm9yLXRyeWluZy1pdC1vdXQ="},
    "feishu": {"encrypt_key": "fake-encrypt-key", "token": "fake-token"},
    "wecom": {"token": "faketoken", "aes_key": "fake" * 10 + "key"},
}
OPTIONS = {
    "smn": 'topics = ["urn:smn:cn-north-4:0605767a3300d5762fb7c0186d9e1779:alarms"]',
    "wecom": 'receive_id = "ww1"',
}
WRONG: list[Any] = [5, -1, True, [], [5], [[]], {}, {"a": 1}, "", "\x00", "é", ["é"], ["", "a"], 1.5, "/none/at/all"]


def sender(name: str, kind: type[Scheme]) -> tuple[str, dict[str, str]]:
    """Return a senders file with one sender of a scheme, and the environment that it needs."""
    texts = TEXTS.get(name, dict.fromkeys(kind.parts, "fake-secret-of-a-test-with-length"))
    environ = {f"X_{part.upper()}": text for part, text in texts.items()}
    parts = ", ".join(f'{part} = {{ env = "X_{part.upper()}" }}' for part in texts)
    secrets = f"secrets = [{{ {parts} }}]\n" if texts else ""
    return f'[senders.x]\nscheme = "{name}"\noperations = ["*"]\n{OPTIONS.get(name, "")}\n{secrets}', environ


def read(folder: Path, text: str, environ: dict[str, str]) -> Senders:
    (folder / "senders.toml").write_text(text, encoding="utf-8")
    return Senders.read(str(folder / "senders.toml"), environ, allowed=lambda _: False, now=NOW)


def test_the_sample_works_with_the_variables_that_it_names(tmp_path: Path) -> None:
    senders = read(tmp_path, SAMPLE, EXPORTS)
    assert {name: one.scheme.name for name, one in senders.items()} == {
        "monitoring": "standard",
        "deployments": "github",
        "chat": "feishu",
        "alarms": "smn",
    }
    assert senders.warnings == ()
    monitoring = senders["monitoring"]
    assert (monitoring.rate, monitoring.scheme.window_s, monitoring.https) == (Rate(60, 60.0), 120.0, True)
    assert monitoring.operation == "elb.list_members"
    assert apply(senders["deployments"].payload, {"deployment": {"payload": {"a": 1}}}) == {"a": 1}
    body = {"event": {"action": {"value": {"listener_id": "l"}}}}
    assert apply(senders["chat"].payload, body) == {"listener_id": "l", "limit": 10}


def test_the_sample_names_every_scheme_and_every_key() -> None:
    assert all(re.search(rf"\b{name}\b", SAMPLE) for name in registry.names())
    for key in (*KEYS, "until", "env", "file", "at"):
        assert re.search(rf"\b{key} =|\.{key}\]", SAMPLE), key


def test_without_its_variables_the_sample_says_which(tmp_path: Path) -> None:
    lines = refused(tmp_path, SAMPLE)
    assert [line.split("variable ")[1] for line in lines] == [f"{name} is not set" for name in EXPORTS]


@pytest.mark.parametrize("name", registry.names())
def test_a_sender_of_every_scheme(tmp_path: Path, name: str) -> None:
    kind = registry.find(name)
    assert kind
    text, environ = sender(name, kind)
    one = read(tmp_path, text, environ)["x"]
    assert type(one.scheme) is kind
    assert one.https is kind.needs_https
    assert len(one.secrets.each) == (1 if kind.parts else 0)
    assert not [secret for secret in environ.values() if secret in repr(one)]


@pytest.mark.parametrize("name", [name for name in registry.names() if name != "smn"])
def test_what_a_senders_scheme_signs_it_takes(tmp_path: Path, name: str) -> None:
    kind = registry.find(name)
    assert kind
    text, environ = sender(name, kind)
    one = read(tmp_path, text, environ)["x"]
    fresh = one.scheme.sign(one.secrets.each[0].key, b'{"msgId": "a"}', NOW, "id-1")
    headers = {key.lower(): value for key, value in fresh.headers.items()}
    query = {key: [value] for key, value in fresh.query.items()}
    assert isinstance(one.scheme.verify(fresh.body, headers, query, one.secrets, NOW), Verified)


@pytest.mark.parametrize("value", ["", "abc", "é", "x" * 5000])
@pytest.mark.parametrize("name", [name for name in registry.names() if name != "smn"])
def test_a_secret_that_cannot_be_is_told_without_it(tmp_path: Path, name: str, value: str) -> None:
    kind = registry.find(name)
    assert kind
    text, environ = sender(name, kind)
    try:
        read(tmp_path, text, dict.fromkeys(environ, value))
    except SendersRefused as error:
        assert {mistake.line for mistake in error.mistakes} == {5}  # noqa: PT017
        assert not value or f" {value}" not in error.message  # noqa: PT017


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize(
    ("name", "option"),
    [(name, option) for name in registry.names() if (kind := registry.find(name)) for option in kind.options],
)
def test_an_option_of_any_type_is_taken_or_refused_by_name(name: str, option: str, value: Any) -> None:
    """What a scheme is given comes from the file as it is: of whatever type."""
    kind = registry.find(name)
    assert kind
    try:
        kind(**{option: value})
    except BadOption as error:
        assert error.option in kind.options  # noqa: PT017


@pytest.mark.parametrize("name", ["smn", "wecom"])
def test_an_option_that_a_scheme_needs_is_asked_for(tmp_path: Path, name: str) -> None:
    kind = registry.find(name)
    assert kind
    text, environ = sender(name, kind)
    [line] = refused(tmp_path, text.replace(OPTIONS[name], ""), **environ)
    assert line.startswith(f"senders.toml:1: senders.x.{OPTIONS[name].split(' ')[0]}: must be")


def test_the_systems_bundle_may_be_named_as_the_authorities_of_smn(tmp_path: Path) -> None:
    """Here warnings are errors."""
    kind = registry.find("smn")
    assert kind
    (tmp_path / "roots.pem").write_bytes(Path(certifi.where()).read_bytes() + with_negative_serial(root()))
    text, environ = sender("smn", kind)
    assert read(tmp_path, f'{text}roots = "roots.pem"', environ)["x"].scheme.name == "smn"


def test_a_typo_in_a_schemes_name(tmp_path: Path) -> None:
    [line] = refused(tmp_path, SAMPLE.replace('"github"', '"guthub"'), **EXPORTS)
    where = SAMPLE[: SAMPLE.index('"github"')].count("\n") + 1
    assert (
        line == f"senders.toml:{where}: senders.deployments.scheme: there is no scheme 'guthub'; did you mean github?"
    )


PIECES = [
    "",
    " ",
    "\n",
    '"',
    "'",
    "[",
    "]",
    "{",
    "}",
    "=",
    ".",
    "#",
    "5",
    "true",
    '"x"',
    "env",
    "file",
    "until",
    "2030-01-01",
    "senders.",
    "é",
]


@settings(deadline=None)
@given(
    cuts=st.lists(
        st.tuples(st.integers(0, len(SAMPLE)), st.integers(0, 12), st.sampled_from(PIECES)), min_size=1, max_size=4
    )
)
def test_whatever_becomes_of_the_file_it_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[tuple[int, int, str]]
) -> None:
    folder, text = tmp_path_factory.getbasetemp(), SAMPLE
    for at, size, piece in cuts:
        text = text[:at] + piece + text[at + size :]
    try:
        senders = read(folder, text, EXPORTS)
    except SendersRefused as error:
        assert all((mistake.line or 1) <= text.count("\n") + 1 for mistake in error.mistakes)  # noqa: PT017
        assert not [secret for secret in EXPORTS.values() if secret in error.message]  # noqa: PT017
    else:
        assert all(sender.operations for sender in senders.values())
