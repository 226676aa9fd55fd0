"""What is told of a refused request beyond its one cause, and that nothing a stranger sends breaks it or brings a secret out."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.captures import Capture, redacted
from events.deliveries import Seen
from events.explain import CAUSES, Explanation, explain
from events.explain.proof import proved
from events.explain.texts import SecretText, texts
from events.explain.words import WORDS, moment, span
from events.senders import Senders
from events.signatures import REASONS, Refused
from events.triggers.http import HttpRequest
from tests.events.explain.support import (
    BODY,
    ENVIRON,
    HEX,
    KEYS,
    KNOWN,
    NOW,
    OWN,
    SENDERS,
    SIGNERS,
    SPACED,
    TOPIC,
    Sent,
    bearer,
    dingtalk,
    entry,
    feishu,
    github,
    senders,
    senders_file,
    slack,
    standard,
    wecom,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from events.senders import Sender

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("senders")


@pytest.fixture(scope="session")
def known(folder: Path) -> Senders:
    return senders(folder)


@pytest.fixture(scope="session")
def asked(folder: Path, known: Senders) -> Callable[..., Explanation]:
    file = senders_file(folder)
    of = {name: texts(file, ENVIRON, name) for name in known}

    def ask(name: str, sent: Sent | HttpRequest, now: float = NOW, **more: Any) -> Explanation:
        request = sent.request() if isinstance(sent, Sent) else sent
        return explain(known[name], request, now, **{"texts": of[name], **more})

    return ask


def kept(sender: Sender, sent: Sent, reason: str, detail: str = "so it was", **changes: Any) -> Capture:
    capture = redacted(sender.name, sender.scheme, sent.request(), Refused(reason, detail), NOW)
    return dataclasses.replace(capture, **changes)


def test_every_reason_has_words_and_a_cause() -> None:
    assert set(WORDS) == set(REASONS)
    assert {words.cause for words in WORDS.values()} <= set(CAUSES)
    assert all(words.told.endswith(".") for words in WORDS.values())


# Several faults at once: the most particular is the cause, the others are notes


def test_an_older_secret_and_a_late_one(asked: Callable[..., Explanation]) -> None:
    found = asked("standard", standard(key=KEYS["OLD"], at=NOW - 400))
    assert (found.cause, found.reason) == ("older_secret", "signature_mismatch")
    assert "its time is 400 s" in found.notes[0]


def test_another_form_of_the_body_an_older_secret_and_another_reading(asked: Callable[..., Explanation]) -> None:
    key = ENVIRON["STANDARD_OLD"].encode()
    found = asked("standard", Sent(BODY, standard(SPACED, key, NOW + 400).headers))
    assert found.cause == "body_reserialised"
    other_kind, older, late = found.notes
    assert "read in another way" in other_kind
    assert "older secret of env STANDARD_OLD" in older
    assert "in the future" in late


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        (f'"{HEX["NEW"]}"', "quotation marks"),
        (f"{HEX['NEW']}\n# of the new app", "the first is it"),
        (f"the new app\n{HEX['NEW']}", "the last is it"),
    ],
)
def test_a_secret_that_was_copied_with_more(tmp_path: Path, text: str, reading: str) -> None:
    file, environ = senders_file(tmp_path, entry("slack", "slack", 'env = "COPIED"')), {"COPIED": text}
    sender = Senders.read(file, environ, allowed=bool, now=NOW)["slack"]
    found = explain(sender, slack().request(), NOW, texts=texts(file, environ, "slack"))
    assert found.cause == "secret_of_another_kind"
    assert reading in found.told


def test_without_a_newer_secret_one_is_to_be_made(known: Senders) -> None:
    sender = known["github"]
    old = dataclasses.replace(sender.secrets, each=sender.secrets.each[1:])
    found = explain(dataclasses.replace(sender, secrets=old), github(key=HEX["OLD"].encode()).request(), NOW)
    assert found.cause == "older_secret"
    assert "a new one" in found.fix


def test_what_was_tried_in_vain_is_told(asked: Callable[..., Explanation]) -> None:
    found = asked("github", github(key=b"fake key of nobody"))
    assert found.notes == (
        "Tried in vain: secrets that count or did (2), other readings of them (6), other forms of the body.",
    )
    large = asked("github", Sent(b"x" * 2_000_000, github(key=b"fake key of nobody").headers))
    assert "the rest were not tried" in large.notes[-1]


def test_that_deep_nesting_left_forms_out_is_told(asked: Callable[..., Explanation]) -> None:
    deep = b"[" + b",".join([b"[" * 60 + b"]" * 60] * 2_000) + b"]"
    found = asked("github", Sent(deep, github(key=b"fake key of nobody").headers))
    assert "some other forms of the body (the rest were not tried: too large)" in found.notes[-1]


def test_of_a_token_no_signature_is_told(asked: Callable[..., Explanation]) -> None:
    other = asked("bearer", bearer(key=f'"{ENVIRON["TOKEN_NEW"]}"'.encode()))
    older = asked("bearer", bearer(key=OWN["bearer"]["OLD"]))
    assert other.told.startswith("The token is right if ")
    assert older.told.startswith("Its token is the older secret of ")
    assert "sign" not in other.told + older.told
    assert asked("github", github(key=OWN["github"]["OLD"])).told.startswith("It is signed with the older secret of ")


# Headers


@pytest.mark.parametrize(
    ("name", "sent", "note", "fix"),
    [
        ("standard", github(), "looks like a request of the scheme github", 'scheme = "github"'),
        ("github", slack(), "looks like a request of the scheme slack", 'scheme = "slack"'),
        ("slack", standard(), "looks like a request of the scheme standard", 'scheme = "standard"'),
        ("slack", feishu(), "looks like a request of the scheme feishu", 'scheme = "feishu"'),
        ("slack", dingtalk(), "looks like a request of the scheme dingtalk", 'scheme = "dingtalk"'),
        ("slack", wecom(), "looks like a request of the scheme wecom", 'scheme = "wecom"'),
        ("slack", Sent(BODY, {"x-smn-message-type": "Notification"}), "the scheme smn", 'scheme = "smn"'),
        (
            "github",
            github().renamed("x-hub-signature-256", "x-hub-signature"),
            "(SHA-1, which is not taken) in place of",
            "unchanged",
        ),
        ("slack", slack().renamed("x-slack-signature", "slack-signature"), "There is slack-signature in place", "pass"),
        ("slack", slack().renamed("x-slack-signature", "x_slack_signature"), "with _, which servers", "pass"),
        ("slack", slack().put(x_slack_signature='"v0=1"'), "in quotation marks", "pass"),
        ("slack", slack().put(x_slack_signature="v0=1, v0=1"), "x-slack-signature came twice", "pass"),
        ("slack", slack().put(x_slack_signature=None, x_forwarded_for="a", via="b"), "(via, x-forwarded-for)", "pass"),
        ("feishu", Sent(BODY), "without one leave encrypt_key out", "pass"),
        ("standard", standard().put(webhook_signature="v2,abc"), "", "pass"),
    ],
)
def test_what_became_of_the_headers(
    asked: Callable[..., Explanation], name: str, sent: Sent, note: str, fix: str
) -> None:
    found = asked(name, sent)
    assert found.cause == "header_lost"
    assert fix in found.fix
    assert not note or any(note in each for each in found.notes), found.notes


def test_what_the_scheme_reads_and_what_came_of_it_is_listed(asked: Callable[..., Explanation]) -> None:
    told = asked("slack", slack().put(x_slack_signature=None)).told
    assert told == (
        "The header x-slack-signature is missing or empty. The scheme slack reads the headers x-slack-request-timestamp,"
        " x-slack-signature; of these came x-slack-request-timestamp."
    )
    assert asked("slack", Sent(BODY)).told.endswith("of these came none.")
    assert asked("wecom", Sent(BODY)).told == "The parameter msg_signature is missing or empty."


def test_a_token_alone_looks_like_nobodys(asked: Callable[..., Explanation]) -> None:
    assert asked("slack", bearer()).notes == ()


# Clocks


@pytest.mark.parametrize(
    ("sent", "note"),
    [
        (standard(at=NOW + 8 * 3600 - 20), "That is 8 h nearly to the second: a local time taken for UTC."),
        (standard(at=NOW - 5 * 3600), "That is 5 h nearly to the second: a local time taken for UTC."),
        (standard(at=NOW * 1000), "the sender writes milliseconds where the scheme has seconds"),
        (standard(at=NOW + 600), None),
        (standard(at=NOW + 4 * 3600 + 600), None),
        (standard(at=9e15), None),
    ],
)
def test_what_sets_clocks_apart(asked: Callable[..., Explanation], sent: Sent, note: str | None) -> None:
    found = asked("standard", sent)
    assert found.cause == "clock_off"
    assert len(found.notes) == (note is not None)
    assert not note or note in found.notes[0]


def test_seconds_where_there_should_be_milliseconds(asked: Callable[..., Explanation]) -> None:
    [note] = asked("dingtalk", dingtalk(at=NOW / 1000)).notes
    assert "Times 1000 it would be right" in note


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "0 s"),
        (-119, "119 s"),
        (120, "120 s (2.0 minutes)"),
        (9e3, "9000 s (2.5 hours)"),
        (1e6, "1000000 s (11.6 days)"),
    ],
)
def test_spans_in_words(seconds: float, told: str) -> None:
    assert span(seconds) == told


def test_moments_that_no_calendar_has() -> None:
    assert moment(NOW) == "2025-06-15T15:06:40Z"
    assert moment(1e15) == "1e+15 s after 1970"
    assert moment(float("inf")) == "inf s after 1970"
    assert moment(float("nan")) == "nan s after 1970"


# What came before


@pytest.mark.parametrize(
    ("seen", "reason", "note"),
    [
        (Seen(replayed=True, status=200, since=NOW), "replayed", "said again to a retry"),
        (Seen(replayed=False, status=200, since=NOW), "already_handled", "said again to a retry"),
        (Seen(replayed=False, status=500, since=NOW), "already_handled", "whether it took effect is not known"),
        (Seen(replayed=False, status=None, since=NOW), "under_way", "not known how it was answered"),
    ],
)
def test_a_request_that_is_remembered(asked: Callable[..., Explanation], seen: Seen, reason: str, note: str) -> None:
    found = asked("standard", standard(), seen=seen)
    assert (found.cause, found.reason) == ("already_handled", reason)
    assert note in found.notes[0]


def test_a_capture_that_was_replayed_or_mended_says_what_is_remembered(
    known: Senders, asked: Callable[..., Explanation]
) -> None:
    seen = Seen(replayed=True, status=200, since=NOW)
    again = asked("standard", standard(), seen=seen, received=kept(known["standard"], standard(), "replayed"))
    assert (again.cause, len(again.notes)) == ("already_handled", 1)
    mended = asked(
        "standard", standard(), seen=seen, received=kept(known["standard"], standard(), "signature_mismatch")
    )
    assert (mended.cause, len(mended.notes)) == ("ok", 1)


def test_what_was_found_otherwise_when_it_came_is_told(known: Senders, asked: Callable[..., Explanation]) -> None:
    sent = standard(key=KEYS["WRONG"])
    was = kept(known["standard"], sent, "too_old", scheme="slack")
    found = asked("standard", sent, received=was)
    assert found.cause == "wrong_secret"
    assert found.notes[-2] == "When it came the sender's scheme was another; now it is standard."
    assert found.notes[-1] == "When it came, at 2025-06-15T15:06:40Z, it was refused as too_old: so it was."


# What cannot be judged anew


def test_a_body_without_its_secrets_is_told_as_it_was_found(known: Senders, asked: Callable[..., Explanation]) -> None:
    was = kept(known["standard"], standard(), "signature_mismatch", redacted=True)
    found = asked("standard", standard(), received=was)
    assert (found.cause, found.reason) == ("wrong_secret", "signature_mismatch")
    assert "the scheme said: so it was." in found.told
    assert "Secrets in the body were not kept" in found.notes[0]


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("header_malformed", "header_lost"),
        ("replayed", "already_handled"),
        ("something else", "not_judged"),
    ],
)
def test_a_token_that_was_not_kept(known: Senders, asked: Callable[..., Explanation], reason: str, cause: str) -> None:
    was = kept(known["bearer"], bearer(), reason)
    request = HttpRequest(was.headers, was.body, https=True)
    assert asked("bearer", request, received=was).cause == cause
    in_query = HttpRequest({}, b"", query={"access_token": ["[redacted 9 characters]"]}, https=True)
    assert asked("bearer", in_query, received=was).cause == cause


SMN = {
    "type": "Notification", "message": "m", "message_id": "i", "topic_urn": TOPIC, "timestamp": "2025-06-15T15:06:40Z",
    "signature": "AAAA", "signature_version": "v1", "signing_cert_url": "https://example.com/a.pem",
}  # fmt: skip


def test_a_message_of_smn_is_judged_as_far_as_nobody_is_asked(
    known: Senders, asked: Callable[..., Explanation]
) -> None:
    sent = Sent(json.dumps(SMN).encode())
    found = asked("smn", sent)
    assert (found.cause, found.reason) == ("not_judged", None)
    assert "Certificates are not fetched here" in found.told
    late = asked("smn", sent, NOW + 4000)
    assert (late.cause, late.reason) == ("clock_off", "too_old")
    assert asked("smn", Sent(b"{")).cause == "body_malformed"
    for reason in ("topic_refused", "certificate_refused", "too_old"):
        was = asked("smn", sent, received=kept(known["smn"], sent, reason))
        assert (was.cause, was.reason) == (WORDS[reason].cause, reason)
        assert was.fix


def test_what_is_not_judged_here_proves_nothing(known: Senders) -> None:
    sent = Sent(json.dumps({**SMN, "timestamp": "2025-06-15T12:00:00Z"}).encode())
    assert proved(known["smn"], kept(known["smn"], sent, "too_old")) == (False, "not_judged")
    assert proved(known["standard"], kept(known["standard"], standard(), "too_old")) == (True, "ok")


def test_other_receivers_and_other_senders(folder: Path) -> None:
    file = senders_file(folder, SENDERS.replace('receive_id = ""', 'receive_id = "other"'))
    known = Senders.read(file, ENVIRON, allowed=bool, now=NOW)
    assert explain(known["wecom"], wecom().request(), NOW).cause == "receiver_mismatch"
    found = explain(known["standard"], standard(key=KEYS["WRONG"]).request(), NOW, others=known.values())
    assert "/hooks/other" in found.notes[0]


# The texts of secrets


def test_texts_are_read_from_where_the_file_says(tmp_path: Path) -> None:
    file = senders_file(tmp_path)
    new, old = texts(file, ENVIRON, "feishu")
    assert new == SecretText(
        {"encrypt_key": HEX["NEW"], "token": ENVIRON["TOKEN_NEW"]}, "encrypt_key env TEXT_NEW, token env TOKEN_NEW"
    )
    assert old.until == NOW - 1
    assert texts(file, ENVIRON, "smn") == ()
    assert [one.origin for one in texts(file, ENVIRON, "github")] == ["env TEXT_NEW", "env TEXT_OLD"]
    assert not [text for text in KNOWN if text in repr((new, old))]


@pytest.mark.parametrize(
    "text", ["", "[", "senders = 1", "[senders.github]\nscheme = 'github'\nsecrets = [{ env = 'GONE' }]"]
)
def test_a_file_that_changed_meanwhile_has_none(tmp_path: Path, text: str) -> None:
    assert texts(senders_file(tmp_path, text), ENVIRON, "github") == ()
    assert texts(str(tmp_path / "none"), ENVIRON, "github") == ()


# Whatever comes

ANY = st.one_of(
    st.text(max_size=40),
    st.text("0123456789abcdefv=1,. +/{}[]redacted", max_size=40),
    st.sampled_from(["", "a,a", "\ud800"]),
)
NAMES = sorted(
    {header for sign in SIGNERS.values() for header in sign().headers} | {"x-gitlab-token", "webhook_id", "via"}
)
REQUESTS = st.builds(
    lambda sent, more, query, body, https: HttpRequest(
        {**sent.headers, **more}, sent.body if body is None else body, "POST", {**sent.query, **query}, https=https
    ),
    st.sampled_from([sign(key=key) for name, sign in SIGNERS.items() for key in OWN[name].values()]),
    st.dictionaries(st.sampled_from(NAMES) | ANY, ANY, max_size=3),
    st.dictionaries(st.sampled_from(["msg_signature", "timestamp", "access_token"]) | ANY, st.lists(ANY, max_size=2), max_size=2),
    st.none() | st.binary(max_size=60) | st.sampled_from([SPACED, json.dumps(SMN).encode(), b'{"encrypt":"AAAA"}', b'{"a":"b c"}']),
    st.booleans(),
)  # fmt: skip


@pytest.mark.parametrize("name", [line[9:-1] for line in SENDERS.splitlines() if line.startswith("[senders.")])
@settings(deadline=None)
@given(data=st.data())
def test_whatever_comes_is_explained_without_any_secret(
    known: Senders, asked: Callable[..., Explanation], name: str, data: st.DataObject
) -> None:
    request = data.draw(REQUESTS)
    now = data.draw(st.sampled_from([NOW, NOW - 400, NOW + 86_400, 0.0, 1e12]))
    received = data.draw(
        st.none() | st.builds(kept, st.just(known[name]), st.just(Sent(b"")), st.sampled_from([*REASONS, "other"]), redacted=st.booleans())
    )  # fmt: skip
    seen = data.draw(st.none() | st.builds(Seen, st.booleans(), st.none() | st.sampled_from([200, 500]), st.just(NOW)))
    found = asked(name, request, now, received=received, seen=seen, others=known.values())
    assert found.cause in CAUSES
    assert found.told
    said = " ".join((found.told, found.fix, *found.notes))
    assert not [text for text in KNOWN if text in said]
