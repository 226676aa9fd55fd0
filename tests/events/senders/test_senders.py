"""Senders as they come out of a file without mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pytest

from events.senders import Rate, Senders
from events.signatures import Secret
from functions.registry import names
from tests.events.senders.support import (
    ENVIRON,
    GOOD,
    NOW,
    PROJECT,
    SECRET,
    Attached,
    Feishu,
    Plain,
    Topics,
    read,
    warned,
)

if TYPE_CHECKING:
    from pathlib import Path

    from events.senders import Sender

pytestmark = pytest.mark.usefixtures("fakes")

HEAD = '[senders.x]\nscheme = "plain"\nsecrets = [{ env = "SECRET" }]\n'


def one(folder: Path, more: str, head: str = HEAD + 'operations = ["elb.list_members"]\n') -> Sender:
    [sender] = read(folder, head + more).values()
    return sender


def test_what_is_not_written_has_its_default(tmp_path: Path) -> None:
    senders = read(tmp_path, GOOD)
    sender = senders["monitoring"]
    assert sender.name == sender.secrets.sender == "monitoring"
    assert isinstance(sender.scheme, Plain)
    assert sender.scheme.window_s == 300.0
    assert sender.secrets.each == (Secret({"secret": SECRET}, "env SECRET", None),)
    assert sender.operations == {"elb.list_members"}
    assert sender.operation == "elb.list_members"
    assert (sender.projects, sender.origins, sender.payload) == (frozenset(), (), None)
    assert (sender.https, sender.later) == (False, False)
    assert sender.rate == Rate(600, 60.0)
    assert senders.warnings == ()


def test_everything_that_is_written_is_read(tmp_path: Path) -> None:
    sender = one(
        tmp_path,
        f"""operations = ["csbs.check_restorable", "elb.list_members", "elb.list_members"]
        operation = "elb.list_members"
        projects = ["{PROJECT}"]
        rate = "5/second"
        window_s = 60
        payload.listener_id.at = "/a"
        origins = ["EventEmitter.example.com", "*"]
        https = true
        async = true""",
        HEAD,
    )
    assert sender.operations == {"csbs.check_restorable", "elb.list_members"}
    assert sender.operation == "elb.list_members"
    assert sender.projects == {PROJECT}
    assert (sender.rate, sender.scheme.window_s) == (Rate(5, 1.0), 60.0)
    assert sender.payload == {"listener_id": {"at": "/a"}}
    assert sender.origins == ("eventemitter.example.com", "*")
    assert (sender.https, sender.later) == (True, True)


@pytest.mark.parametrize(("per", "seconds"), [("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400)])
def test_a_rate_is_per_a_unit_of_time(tmp_path: Path, per: str, seconds: int) -> None:
    assert one(tmp_path, f'rate = "999999999/{per}"').rate == Rate(999_999_999, seconds)


@pytest.mark.parametrize("payload", ["", "/", "/a~0b/0", {}, {"a": [1, -0.5, True, {"b": "/x"}]}, {"at": "/x"}])
def test_a_payload_is_a_pointer_or_a_table(tmp_path: Path, payload: Any) -> None:
    written = '{ a = [1, -0.5, true, { b = "/x" }] }' if payload and "a" in payload else None
    written = written or ('{ at = "/x" }' if payload == {"at": "/x"} else "{}" if payload == {} else f"'{payload}'")
    assert one(tmp_path, f"payload = {written}").payload == payload or written.startswith("{ a")


def test_a_star_grants_everything_and_says_nothing_of_a_bare_payload(tmp_path: Path) -> None:
    sender = one(tmp_path, 'operations = ["*"]', HEAD)
    assert sender.operations == set(names())
    assert sender.operation is None
    assert sender.may_run("elb.list_members")
    assert not sender.may_run("*")


def test_what_is_not_granted_may_not_run(tmp_path: Path) -> None:
    sender = read(tmp_path, GOOD)["monitoring"]
    assert sender.may_run("elb.list_members")
    assert not sender.may_run("apig.add_members")
    assert not sender.may_run("elb.nothing")


def test_a_scheme_says_whether_https_is_the_default(tmp_path: Path) -> None:
    head = """[senders.x]
    scheme = "feishu"
    secrets = [{ encrypt_key = { env = "SECRET" }, token = { env = "OTHER" } }]
    operations = ["*"]
    """
    assert one(tmp_path, "", head).https
    senders = read(tmp_path, head + "https = false")
    assert not senders["x"].https
    assert warned(senders) == [
        "senders.toml:5: senders.x.https: whoever reads a request of this scheme on its way can make others: leave this out"
    ]


def test_a_secret_of_several_parts(tmp_path: Path) -> None:
    sender = one(
        tmp_path,
        "",
        """[senders.x]
        scheme = "feishu"
        operations = ["*"]
        [[senders.x.secrets]]
        until = 2030-01-01T01:00:00+01:00
        token.env = "OTHER"
        encrypt_key.env = "SECRET"
        """,
    )
    assert isinstance(sender.scheme, Feishu)
    [secret] = sender.secrets.each
    assert secret.key == {"encrypt_key": SECRET, "token": "fake-other-secret"}
    assert secret.origin == "encrypt_key env SECRET, token env OTHER"
    assert secret.until == 1_893_456_000.0


def test_a_part_that_is_optional_may_be_left_out(tmp_path: Path) -> None:
    head = '[senders.x]\nscheme = "paired"\noperations = ["*"]\n'
    [secret] = one(tmp_path, 'secrets = [{ token = { env = "SECRET" } }]', head).secrets.each
    assert (secret.key, secret.origin) == ({"token": SECRET}, "env SECRET")


def test_options_are_the_schemes_own(tmp_path: Path) -> None:
    text = '[senders.x]\nscheme = "topics"\noperations = ["*"]\ntopics = ["urn:a"]\nwindow_s = 9'
    sender = one(tmp_path, "", text)
    assert isinstance(sender.scheme, Topics)
    assert (sender.scheme.topics, sender.scheme.window_s) == (("urn:a",), 9)
    assert sender.secrets.each == ()


@pytest.mark.parametrize("absolute", [True, False])
def test_an_option_that_is_a_file_is_read_beside_the_senders_file(tmp_path: Path, absolute: bool) -> None:
    (tmp_path / "letter").write_bytes(b"\xff" * (4 << 20))
    text = '[senders.x]\nscheme = "attached"\noperations = ["*"]\n'
    path = tmp_path / "letter" if absolute else "letter"
    sender = one(tmp_path, "", f'{text}letter = "{path}"')
    assert isinstance(sender.scheme, Attached)
    assert sender.scheme.letter == b"\xff" * (4 << 20)
    assert one(tmp_path, "", text).scheme.__dict__["letter"] is None


def test_senders_are_a_mapping_in_the_order_of_the_file(tmp_path: Path) -> None:
    senders = read(
        tmp_path, GOOD.replace("monitoring", "b") + GOOD.replace("monitoring", "a").replace("SECRET", "OTHER")
    )
    assert isinstance(senders, Mapping)
    assert list(senders) == ["b", "a"]
    assert len(senders) == 2
    assert senders.get("a") is senders["a"]
    assert senders.get("c") is None
    assert not Senders()
    with pytest.raises(TypeError):
        senders["c"] = senders["a"]  # type: ignore[index]  # What must not be possible.


def test_no_repr_shows_a_secret(tmp_path: Path) -> None:
    assert SECRET not in repr(list(read(tmp_path, GOOD).values()))


def test_a_path_is_relative_to_where_the_server_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(tmp_path, GOOD)
    monkeypatch.chdir(tmp_path)
    assert list(Senders.read("senders.toml", ENVIRON, allowed=lambda _: False, now=NOW)) == ["monitoring"]


def test_the_clock_is_asked_when_no_time_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = HEAD.replace("}]", '}, { env = "OTHER", until = 2030-01-01T00:00:00Z }]') + 'operations = ["*"]'
    assert warned(read(tmp_path, text)) == []
    monkeypatch.setattr("time.time", lambda: 1_900_000_000.0)
    senders = Senders.read(str(tmp_path / "senders.toml"), ENVIRON, allowed=lambda _: True)
    assert [warning.where for warning in senders.warnings] == ["senders.x.secrets[1].until"]
