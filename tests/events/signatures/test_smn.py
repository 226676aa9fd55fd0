"""SMN: messages signed by hand from the facts with certificates made for it; what a message may make us ask; the whole way over TLS."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.outward import Outward, OutwardFailed
from events.problems import HttpAnswer
from events.signatures import BadOption, BadSecret, CryptoMissing, Refusal, Refused, Secrets, Verified
from events.signatures.smn import Smn
from events.signatures.smn_message import LONGEST_BODY
from tests.events.signatures.contract import ANY_TEXT, BODY, NOW, Request, SchemeContract, thoroughly
from tests.events.signatures.pki import DAY, HOST, TODAY, Made, between, made, rsa_key, signer
from tests.events.signatures.pki import root as root_certificate
from tests.events.tls import believes, served
from tests.support import http

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]
PROJECT = "0605767a3300d5762fb7c0186d9e1779"
TOPIC = f"urn:smn:cn-north-4:{PROJECT}:alarms"
FILE = f"/smn/SMN_cn-north-4_{'b9' * 16}.pem"
CERTIFICATE = f"https://{HOST}{FILE}"
CONSOLE = "console.huaweicloud.com"
SUBSCRIBE = f"https://{CONSOLE}/smn/subscription/confirm?token=fake&topic_urn={TOPIC}&region=cn-north-4"
SECRETS = Secrets("monitoring", ())
TIME = "2025-06-15T15:06:40Z"


class Guard(Outward):
    """A guard that checks as ever, and instead of asking gives what the test has for a URL; `asked` are the URLs, of all guards."""

    gives: ClassVar[dict[str, bytes]] = {}
    asked: ClassVar[list[str]] = []

    def __init__(self, hosts: Iterable[str]) -> None:
        super().__init__(hosts, tls=believes())

    def get(self, url: str) -> bytes:
        self.check(url)
        self.asked.append(url)
        if url not in self.gives:
            raise OutwardFailed("answered 404")
        return self.gives[url]


@pytest.fixture(autouse=True)
def _nothing_asked() -> None:
    Guard.asked.clear()
    Guard.gives.clear()
    Guard.gives.update({CERTIFICATE: signer().pem + between().pem, SUBSCRIBE: b'{"subscription_urn": "urn"}'})


@pytest.fixture(scope="session")
def roots() -> bytes:
    return root_certificate().pem


def smn(roots: bytes, **options: Any) -> Smn:
    known: dict[str, Any] = {"topics": [TOPIC], "roots": roots, "outward": Guard}
    return Smn(**known | options)


@lru_cache(maxsize=1)
def kept(roots: bytes) -> Smn:
    """Return a scheme that is the same for every example of a property."""
    return smn(roots)


@pytest.fixture
def scheme(roots: bytes) -> Smn:
    return smn(roots)


def signed_text(fields: dict[str, Any]) -> bytes:
    """Return what SMN signs, written out as in the official sample code."""
    third = "subscribe_url" if fields["type"] != "Notification" else "subject"
    text = f"message\n{fields['message']}\nmessage_id\n{fields['message_id']}\n"
    if fields.get(third):
        text += f"{third}\n{fields[third]}\n"
    return (
        text + f"timestamp\n{fields['timestamp']}\ntopic_urn\n{fields['topic_urn']}\ntype\n{fields['type']}\n"
    ).encode()


def notification(**changes: Any) -> dict[str, Any]:
    return {
        "subject": "[Major Alarm] 云监控通知",
        "topic_urn": TOPIC,
        "message_id": "10bb75e0406846368acb80bb911c4853",
        "signature_version": "v1",
        "type": "Notification",
        "message": '{"alarm_status": "alarm"}',
        "unsubscribe_url": f"https://{CONSOLE}/smn/subscription/unsubscribe?x=y",
        "signing_cert_url": CERTIFICATE,
        "timestamp": TIME,
    } | changes


def confirmation(kind: str = "SubscriptionConfirmation", **changes: Any) -> dict[str, Any]:
    fields = notification(type=kind, message="You are invited.", subscribe_url=SUBSCRIBE) | changes
    return {name: value for name, value in fields.items() if name not in ("subject", "unsubscribe_url")}


@lru_cache(maxsize=64)
def signature(text: bytes, by: Made) -> str:
    return base64.b64encode(by.signs(text)).decode()


OTHER = lru_cache(maxsize=1)(lambda: Made(signer().certificate, rsa_key("other")))


def sent(fields: dict[str, Any], by: Made | None = None) -> Request:
    """Return the request with these fields, signed unless they have a signature."""
    own = {} if "signature" in fields else {"signature": signature(signed_text(fields), by or signer())}
    body = json.dumps(own | fields, ensure_ascii=False).encode()
    return Request(body, {"x-smn-message-type": str(fields["type"]), "x-smn-topic-urn": str(fields["topic_urn"])})


def verify(scheme: Smn, request: Request, now: float = NOW) -> Verified | Refused:
    return scheme.verify(request.body, request.headers, {}, SECRETS, now)


def accepted(scheme: Smn, request: Request) -> Verified:
    found = verify(scheme, request)
    assert isinstance(found, Verified), found
    return found


def refused(scheme: Smn, request: Request, reason: str, told: str = "") -> None:
    found = verify(scheme, request)
    assert isinstance(found, Refused), found
    assert (found.reason, told in found.detail) == (reason, True), found
    assert found.detail.isprintable()
    assert len(found.detail) < 300


class TestContract(SchemeContract):
    secret: ClassVar[dict[str, str]] = {}
    other: ClassVar[dict[str, str]] = {"key": "not the one of the certificate"}

    def request(
        self,
        body: bytes = BODY,
        now: float = NOW,
        secret: dict[str, str] | None = None,
        id: str = "msg_1",  # noqa: A002
    ) -> Request:
        if body == b"\xff\xfe\x00 not text":
            return Request(body)
        time = f"2025-06-15T15:{6 + int(now - NOW) // 60:02}:{40 + int(now - NOW)}Z"
        fields = notification(message=body.decode(), message_id=id, timestamp=time)
        return sent(fields, OTHER() if secret else None)

    def plain(self, request: Request) -> bytes:
        return str(json.loads(request.body)["message"]).encode()

    def secrets(self, *each: Any) -> Secrets:
        assert not each
        return SECRETS

    def test_no_secret_at_all(self) -> None:
        self.accepted(self.request())

    def test_an_old_secret_counts_until_its_end(self) -> None:
        for parts in ({}, {"secret": "x"}):
            with pytest.raises(BadSecret, match="has no secret"):
                self.scheme.key(parts)

    def test_what_it_signs_it_takes(self) -> None:
        with pytest.raises(BadSecret, match="only Huawei Cloud can sign"):
            self.scheme.sign(None, b"", NOW, "msg_1")


@pytest.fixture(autouse=True, scope="module")
def _contract(roots: bytes) -> None:
    TestContract.scheme = smn(roots)


# Good messages


def test_a_notification(scheme: Smn) -> None:
    found = accepted(scheme, sent(notification()))
    assert (found.sender, found.id, found.time) == ("monitoring", "10bb75e0406846368acb80bb911c4853", NOW)
    assert (found.body, found.content_type, found.answer, found.confirm) == (
        b'{"alarm_status": "alarm"}',
        "application/json",
        None,
        None,
    )
    assert Guard.asked == [CERTIFICATE]


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ('{"a": 1}', "application/json"),
        ("[1]", "text/plain"),
        ('"a"', "text/plain"),
        ("名 é", "text/plain"),
        ('{"a":1,"a":1}', "text/plain"),
        (" ", "text/plain"),
    ],
)
def test_a_message_is_json_when_it_is_an_object(scheme: Smn, message: str, kind: str) -> None:
    found = accepted(scheme, sent(notification(message=message)))
    assert (found.body, found.content_type) == (message.encode(), kind)


@pytest.mark.parametrize("subject", [None, "", "a", "名", " "])
def test_a_subject_is_signed_unless_it_is_missing_or_empty(scheme: Smn, subject: str | None) -> None:
    accepted(scheme, sent(notification(subject=subject)))
    bare = notification()
    del bare["subject"]
    accepted(scheme, sent(bare))


@pytest.mark.parametrize(
    "changes",
    [
        {"signature_version": "V1"},
        {"timestamp": "2025-06-15T15:06:40.000Z"},
        {"timestamp": "2025-06-15T23:06:40+08:00"},
        {"message": "line\nmessage_id\nx\n"},
        {"message_attributes": {"a": 1}, "new": None},
        {"unsubscribe_url": None},
        {"signing_cert_url": CERTIFICATE.replace("https://smn", "https://SMN").replace(".com/", ".com:443/")},
    ],
)
def test_what_may_vary_in_a_good_message(scheme: Smn, changes: dict[str, Any]) -> None:
    assert accepted(scheme, sent(notification(**changes))).time == NOW
    assert Guard.asked == [CERTIFICATE]


def test_a_fraction_of_a_second_counts(scheme: Smn) -> None:
    assert accepted(scheme, sent(notification(timestamp="2025-06-15T15:06:40.25Z"))).time == NOW + 0.25


@pytest.mark.parametrize("name", ["smn.huaweicloud.com", "smn.myhuaweicloud.com"])
def test_a_certificate_for_smn_itself_will_do(roots: bytes, name: str) -> None:
    leaf = made("signer", between(), names=[name])
    Guard.gives[CERTIFICATE] = leaf.pem + between().pem
    accepted(smn(roots), sent(notification(), leaf))


def test_headers_are_not_needed(scheme: Smn) -> None:
    accepted(scheme, replace(sent(notification()), headers={}))


def test_a_confirmation_is_to_be_confirmed_and_answered(scheme: Smn) -> None:
    found = accepted(scheme, sent(confirmation()))
    assert (found.answer, found.confirm, found.id) == (HttpAnswer(200), SUBSCRIBE, "10bb75e0406846368acb80bb911c4853")
    assert Guard.asked == [CERTIFICATE], "it is confirmed by whoever verified it, not before"
    scheme.confirm(found.confirm or "")
    assert Guard.asked == [CERTIFICATE, SUBSCRIBE]


def test_the_end_of_a_subscription_is_answered_and_nothing_is_asked(scheme: Smn) -> None:
    """The URL in it would begin the subscription anew."""
    found = accepted(scheme, sent(confirmation("UnsubscribeConfirmation", subscribe_url="https://evil.com/")))
    assert (found.answer, found.confirm) == (HttpAnswer(200), None)
    assert Guard.asked == [CERTIFICATE]


@pytest.mark.parametrize("host", [CONSOLE, "cn-north-4-console.huaweicloud.com", HOST, "smn.example.com"])
def test_the_hosts_that_confirm(roots: bytes, host: str) -> None:
    accepted(smn(roots, hosts=["SMN.example.com"]), sent(confirmation(subscribe_url=f"https://{host}/x")))


def test_each_region_has_its_own_hosts(roots: bytes) -> None:
    topic, url = (
        f"urn:smn:sa-brazil-1:{PROJECT}:a-b_c",
        f"https://smn.sa-brazil-1.myhuaweicloud.com{FILE.replace('cn-north-4', 'sa-brazil-1')}",
    )
    leaf = made("brazil", between(), names=["smn.sa-brazil-1.myhuaweicloud.com"], key=rsa_key("signer"))
    Guard.gives[url] = leaf.pem + between().pem
    scheme = smn(roots, topics=[TOPIC, topic])
    accepted(scheme, sent(notification(topic_urn=topic, signing_cert_url=url), leaf))
    refused(
        scheme,
        sent(notification(topic_urn=TOPIC, signing_cert_url=url), leaf),
        "certificate_refused",
        "SMN_cn-north-4_",
    )
    refused(smn(roots), sent(notification(topic_urn=topic, signing_cert_url=url), leaf), "topic_refused")


def test_a_fingerprint_is_of_what_is_signed_and_not_of_how_it_is_written(scheme: Smn) -> None:
    request = sent(notification())
    fields = json.loads(request.body)
    again = Request(json.dumps({**fields, "extra": 1}, indent=1).encode())
    first = accepted(scheme, request).fingerprint
    assert accepted(scheme, again).fingerprint == first
    others = [
        notification(**change)
        for change in ({"subject": "x"}, {"message": "x"}, {"message_id": "x"}, {"timestamp": "2025-06-15T15:06:41Z"})
    ]
    found = {
        accepted(scheme, sent(fields)).fingerprint
        for fields in [*others, confirmation(), confirmation("UnsubscribeConfirmation")]
    }
    assert len(found | {first}) == 7


# Messages that are refused


NAMES = (
    "message",
    "message_id",
    "signature",
    "signature_version",
    "signing_cert_url",
    "timestamp",
    "topic_urn",
    "type",
)


@pytest.mark.parametrize("name", [*NAMES, "subscribe_url"])
def test_each_field_missing_empty_doubled_or_no_text(scheme: Smn, name: str) -> None:
    good = json.loads(sent(confirmation()).body)
    for value in ("", None, 1, 1.5, True, [], {}, [good[name]], {"a": good[name]}):
        refused(scheme, Request(json.dumps(good | {name: value}).encode()), "body_malformed")
    refused(
        scheme,
        Request(json.dumps({key: value for key, value in good.items() if key != name}).encode()),
        "body_malformed",
    )
    doubled = json.dumps(good)[:-1] + f", {json.dumps(name)}: {json.dumps(good[name])}}}"
    refused(scheme, Request(doubled.encode()), "body_malformed", "twice")
    assert not Guard.asked


@pytest.mark.parametrize("name", [name for name in [*NAMES, "subject"] if name != "message"])
@pytest.mark.parametrize("value", ["a\nb", "\n", "x" * 2049])
def test_no_field_but_the_message_has_more_than_one_line_or_is_long(scheme: Smn, name: str, value: str) -> None:
    refused(
        scheme, Request(json.dumps(json.loads(sent(notification()).body) | {name: value}).encode()), "body_malformed"
    )
    assert not Guard.asked


def test_a_publisher_cannot_move_the_lines_of_a_signed_message(scheme: Smn) -> None:
    """The same string to sign, cut otherwise: the signature is right, so the form must not be."""
    given = notification(message="a\nmessage_id\nforged\nsubject\nb", subject="c")
    cut = notification(
        message="a", message_id="forged", subject="b\nmessage_id\n10bb75e0406846368acb80bb911c4853\nsubject\nc"
    )
    assert signed_text(given) == signed_text(cut)
    accepted(scheme, sent(given))
    refused(scheme, sent(cut), "body_malformed", "line break")


FORMS: dict[str, list[str]] = {
    "type": ["notification", "NOTIFICATION", "Notification ", "é", "\x00", "unknown"],
    "message_id": ["a b", "é", "x" * 65, "\x00", "a,b", "../x"],
    "signature_version": ["v2", "1", "v1 ", "V2", "é"],
    "signature": ["*", "a", "ab=c", "é", "YQ==\x00", "YQ", " YQ=="],
    "timestamp": [
        *("yesterday", "2025-06-15", "2025-06-15 15:06:40Z", "2025-06-15T15:06:40", "2025-6-15T15:06:40Z", "2025-06-15T15:06:40z"),
        *("2025-02-30T15:06:40Z", "2025-06-15T24:06:40Z", "2025-06-15T15:06:61Z", "0000-06-15T15:06:40Z", "2025-06-15T15:06:40+24:00"),
        *("２０２５-06-15T15:06:40Z", "2025-06-15T15:06:40.Z", "2025-06-15T15:06:40.0000000000Z", " 2025-06-15T15:06:40Z"),
        *("2025-06-15T15:06:40ZZ", "1750000000"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FORMS.items() for value in values])
def test_each_field_malformed(scheme: Smn, name: str, value: str) -> None:
    refused(
        scheme, Request(json.dumps(json.loads(sent(notification()).body) | {name: value}).encode()), "body_malformed"
    )
    assert not Guard.asked


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'"x"',
        b"\xff{}",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a": NaN}',
        b'{"type": "\\ud800"}',
        b"{}",
    ],
)
def test_a_body_that_is_no_message(scheme: Smn, body: bytes) -> None:
    refused(scheme, Request(body), "body_malformed")


def test_a_body_is_bounded(scheme: Smn) -> None:
    room = LONGEST_BODY - len(sent(notification(message="")).body)
    accepted(scheme, sent(notification(message="x" * room)))
    refused(scheme, sent(notification(message="x" * (room + 1))), "body_malformed", "longer than 1048576 bytes")


@pytest.mark.parametrize(
    "value",
    [
        "SubscriptionConfirmation",
        "notification",
        "Notification,Notification",
        "Notification, Notification",
        "",
        " ",
        "é",
        "\x00",
    ],
)
def test_a_type_in_the_headers_is_the_one_in_the_body(scheme: Smn, value: str) -> None:
    refused(scheme, sent(notification()).put("x-smn-message-type", value), "header_malformed")
    assert not Guard.asked


@pytest.mark.parametrize(
    "topic",
    [
        f"{TOPIC}2",
        TOPIC[:-1],
        TOPIC.upper(),
        f"{TOPIC}:subscription",
        TOPIC.replace("alarms", "ｌarms"),
        "x",
        "urn:smn:evil.com/#:a:b",
    ],
)
def test_a_topic_that_is_not_listed_is_refused_before_anything_is_asked(scheme: Smn, topic: str) -> None:
    refused(scheme, sent(notification(topic_urn=topic)), "topic_refused", "the topic is")
    assert not Guard.asked


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("2025-06-15T14:06:39Z", "too_old"),
        ("2025-06-15T16:06:41Z", "too_new"),
        ("0001-01-01T00:00:00+23:59", "too_old"),
        ("9999-12-31T23:59:59-23:59", "too_new"),
    ],
)
def test_outside_the_window_nothing_is_asked(scheme: Smn, time: str, reason: str) -> None:
    refused(scheme, sent(notification(timestamp=time)), reason)
    assert not Guard.asked


@pytest.mark.parametrize("window", [1.0, 10.0**12])
def test_the_window_is_the_senders(roots: bytes, window: float) -> None:
    found = [
        verify(smn(roots, window_s=window), sent(notification(timestamp=time)))
        for time in ("2025-06-15T15:06:42Z", "9999-12-31T23:59:59Z")
    ]
    assert [isinstance(each, Verified) for each in found] == [window > 2] * 2


@pytest.mark.parametrize("name", ["message", "message_id", "subject", "topic_urn", "timestamp", "type"])
def test_each_signed_field_changed_by_one_character(roots: bytes, name: str) -> None:
    others = {"topic_urn": TOPIC[:-1] + "z", "timestamp": "2025-06-15T15:06:41Z", "type": "UnsubscribeConfirmation"}
    good = json.loads(sent(notification(subscribe_url=SUBSCRIBE)).body)
    changed = good | {name: others.get(name, good[name][:-1] + "z")}
    scheme = smn(roots, topics=[TOPIC, others["topic_urn"]])
    refused(scheme, Request(json.dumps(changed).encode()), "signature_mismatch")


@pytest.mark.parametrize("kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"])
def test_the_subscribe_url_is_signed(scheme: Smn, kind: str) -> None:
    good = json.loads(sent(confirmation(kind)).body)
    refused(scheme, Request(json.dumps(good | {"subscribe_url": SUBSCRIBE + "2"}).encode()), "signature_mismatch")


def test_a_string_to_sign_without_its_last_line_break_is_another(scheme: Smn) -> None:
    """One form is taken: that of the official sample code."""
    fields = notification()
    short = base64.b64encode(signer().signs(signed_text(fields)[:-1])).decode()
    refused(scheme, sent(fields | {"signature": short}), "signature_mismatch")


@pytest.mark.parametrize(
    "signature", ["YQ==", base64.b64encode(bytes(256)).decode(), base64.b64encode(b"\xff" * 256).decode()]
)
def test_a_signature_that_is_none(scheme: Smn, signature: str) -> None:
    refused(scheme, sent(notification(signature=signature)), "signature_mismatch")


# What a message may make us ask


HOSTILE = [
    *("", "http://{host}/", "file:///etc/passwd", "ftp://{host}/", "//{host}/", "https://evil.com/", "https://{host}@evil.com/"),
    *("https://user:pass@{host}/", "https://evil.com#@{host}/", "https://{host}#@evil.com/", "https://evil.com?@{host}/", "https://{host}\\@evil.com/"),
    *("https://evil.com\\.{host}/", "https://{host}:80/", "https://{host}:8443/", "https://{host}:443@evil.com/", "https://{host}./"),
    *("https://evil{host}/", "https://x.{host}/", "https://127.0.0.1/", "https://2130706433/", "https://0x7f.1/", "https://[::1]/"),
    *("https://169.254.169.254/", "https://localhost/", "https://xn--smn-cn-north-4.com/", "https://ｓmn.myhuaweicloud.com/", "x"),
    *("https://[::ffff:127.0.0.1]/", "https://{host}.evil.com/", "https://{host} /", "https://{host}%2eevil.com/"),
    *("https://{host}\t/", "https://{host}/\r", "https://obs.cn-north-4.myhuaweicloud.com/", "https://huaweicloud.com/"),
]  # fmt: skip


@pytest.mark.parametrize("url", [url for url in HOSTILE if url])
def test_a_hostile_subscribe_url_is_refused_before_anything_is_asked(scheme: Smn, url: str) -> None:
    hostile = url.format(host=CONSOLE)
    refused(scheme, sent(confirmation(subscribe_url=hostile)), "body_malformed", "subscribe_url may not be asked: ")
    with pytest.raises(Refusal, match="cannot be confirmed") as caught:
        scheme.confirm(hostile)
    assert caught.value.refused.reason == "body_malformed"
    assert not Guard.asked


@pytest.mark.parametrize(
    "url",
    [
        *(url.format(host=HOST).rstrip("/") + FILE for url in HOSTILE),
        *(f"https://{host}{FILE}" for host in (CONSOLE, "cn-north-4-console.huaweicloud.com", "smn.cn-north-1.myhuaweicloud.com")),
        *(f"https://{HOST}{path}" for path in ("", "/", "/smn/", f"//smn{FILE[4:]}", f"/smn/..{FILE}", f"/x{FILE}")),
        *(f"{CERTIFICATE}{after}" for after in ("/", "?x", "%00", "#x")),
        *(CERTIFICATE.replace(*change) for change in (("b9", "BX"), ("b9b9", "b9"), ("b9", "B9"), ("SMN_", "smn_"), (".pem", "xpem"))),
        *(f"https://{HOST}{FILE.replace('cn-north-4', region)}" for region in ("cn-north-1", "cn-north-4x", "cn_north_4", "*")),
    ],
)  # fmt: skip
def test_a_hostile_certificate_url_is_refused_before_anything_is_asked(scheme: Smn, url: str) -> None:
    reason = "body_malformed" if not url or "\n" in url else "certificate_refused"
    refused(scheme, sent(notification(signing_cert_url=url)), reason)
    assert not Guard.asked


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fe80::1%lo"])
def test_a_name_of_the_cloud_that_leads_home_is_refused(roots: bytes, address: str) -> None:
    scheme = smn(roots, outward=lambda hosts: Outward(hosts, resolve=lambda _: [address], tls=believes()))
    refused(scheme, sent(notification()), "certificate_refused", "no public address")
    with pytest.raises(Refusal, match="no public address"):
        scheme.confirm(SUBSCRIBE)


@pytest.mark.parametrize(
    ("gives", "told"),
    [
        (None, "cannot be fetched: answered 404"),
        (b"<html>", "no certificate in PEM"),
        (made("signer").pem, "not one of a trusted authority"),
    ],
)
def test_a_certificate_that_is_not_believed(scheme: Smn, gives: bytes | None, told: str) -> None:
    Guard.gives.pop(CERTIFICATE)
    Guard.gives.update({CERTIFICATE: gives} if gives else {})
    for _ in range(3):
        refused(scheme, sent(notification()), "certificate_refused", told)
    assert Guard.asked == [CERTIFICATE]


def test_a_confirmation_that_fails_is_told(scheme: Smn) -> None:
    with pytest.raises(Refusal, match="the subscription cannot be confirmed: answered 404") as caught:
        scheme.confirm(SUBSCRIBE + "2")
    assert caught.value.refused.reason == "body_malformed"


def test_what_cannot_be_told_now_is_to_be_sent_later(scheme: Smn) -> None:
    for number in range(20):
        url = CERTIFICATE.replace("b9b9", f"{number:04}")
        assert isinstance(verify(scheme, sent(notification(signing_cert_url=url, signature="YQ=="))), Refused)
    refused(scheme, sent(notification()), "try_later", "too many certificates")
    accepted(scheme, sent(notification()))
    assert Guard.asked.count(CERTIFICATE) == 1


def test_for_a_certificate_that_the_operator_named_nobody_is_asked() -> None:
    url = "https://smn.example.com/somewhere/else"
    accepted(smn(signer().pem), sent(notification(signing_cert_url=url)))
    accepted(smn(root_certificate().pem + signer().pem), sent(notification(signing_cert_url=url)))
    refused(smn(signer().pem), sent(notification(), OTHER()), "signature_mismatch", "no certificate in `roots` made")
    refused(
        smn(made("signer", ends=TODAY - DAY).pem), sent(notification()), "certificate_refused", "ended on 2025-06-14"
    )
    assert not Guard.asked


def test_next_to_one_that_the_operator_named_others_lead_to_an_authority() -> None:
    accepted(smn(root_certificate().pem + made("own").pem), sent(notification()))
    assert Guard.asked == [CERTIFICATE]


def test_a_region_of_another_domain(roots: bytes) -> None:
    """The one that has another: the official SDK's region files."""
    topic = TOPIC.replace("cn-north-4", "eu-west-101")
    url = f"https://smn.eu-west-101.myhuaweicloud.eu{FILE.replace('cn-north-4', 'eu-west-101')}"
    for name in ("smn.eu-west-101.myhuaweicloud.eu", "smn.myhuaweicloud.eu"):
        leaf = made("europe", between(), names=[name], key=rsa_key("signer"))
        Guard.gives[url] = leaf.pem + between().pem
        accepted(smn(roots, topics=[topic]), sent(notification(topic_urn=topic, signing_cert_url=url), leaf))
    other = url.replace(".eu/", ".com/")
    refused(
        smn(roots, topics=[topic]), sent(notification(topic_urn=topic, signing_cert_url=other)), "certificate_refused"
    )


def test_the_whole_way_over_tls(roots: bytes) -> None:
    """A certificate and a confirmation are asked for over TLS; a redirect instead of either is followed nowhere."""

    def says(raw: bytes) -> Any:
        return lambda secure: secure.sendall(raw)

    steps = [http(200, signer().pem + between().pem), http(200, b"{}"), http(302, b"", "Location: https://127.0.0.1/")]
    with served(*map(says, steps), name=f"{HOST} {CONSOLE}") as server:
        scheme = smn(roots, outward=server.outward)
        found = accepted(scheme, sent(confirmation()))
        scheme.confirm(found.confirm or "")
        with pytest.raises(Refusal, match="redirects are not followed"):
            scheme.confirm(found.confirm or "")
    assert [head.split(b"\r\n")[0] for head in server.asked] == [
        f"GET {FILE} HTTP/1.1".encode(),
        *[f"GET {SUBSCRIBE.removeprefix(f'https://{CONSOLE}')} HTTP/1.1".encode()] * 2,
    ]
    with served(says(http(302, b"", f"Location: {CERTIFICATE}")), name=HOST) as server:
        refused(
            smn(roots, outward=server.outward),
            sent(notification()),
            "certificate_refused",
            "redirects are not followed",
        )


FIELDS = st.sampled_from([*NAMES, "subject", "subscribe_url"])


@thoroughly
@given(
    st.dictionaries(FIELDS, ANY_TEXT | st.none() | st.integers() | st.just(SUBSCRIBE) | st.just(TIME), max_size=3),
    st.booleans(),
    st.sampled_from([0.0, NOW, 1e12]),
)
def test_only_what_was_signed_is_taken(roots: bytes, changes: dict[str, Any], first: bool, now: float) -> None:
    good = json.loads(sent(notification() if first else confirmation()).body)
    found = verify(kept(roots), Request(json.dumps(good | changes).encode("utf-8", "surrogatepass")), now)
    signed = [
        name
        for name in (*NAMES, "subscribe_url" if not first else "subject")
        if name not in ("signature_version", "signing_cert_url")
    ]
    if isinstance(found, Verified):
        assert {name: changes[name] for name in signed if name in changes and changes[name] != good[name]} == {}
        assert now == NOW
    else:
        assert found.detail


# Options


BAD_TOPICS = [
    "",
    "x",
    f"{TOPIC}\n",
    f"{TOPIC}:x",
    "urn:smn::a:b",
    "urn:smn:a.b:c:d",
    "urn:smn:a/:c:d",
    "urn:smn:EU:c:d",
    "urn:smn:a::d",
    "urn:sns:a:b:c",
]
BAD_TOPICS += [f"urn:smn:{'a' * 41}:b:c", "urn:smn:é:b:c", f"urn:smn:a:b:{'c' * 256}"]


@pytest.mark.parametrize(
    "topics", [None, (), [], {}, "urn", TOPIC, [1], [TOPIC, 1], [None], *([TOPIC, topic] for topic in BAD_TOPICS)]
)
def test_topics_are_urns(roots: bytes, topics: Any) -> None:
    with pytest.raises(BadOption, match="must be a list of URNs") as caught:
        smn(roots, topics=topics)
    assert caught.value.option == "topics"


@pytest.mark.parametrize(
    "hosts",
    [
        None,
        "smn.example.com",
        {},
        [1],
        [None],
        [""],
        ["127.0.0.1"],
        ["localhost"],
        ["a.example.com:443"],
        ["https://a.example.com"],
        ["*.example.com"],
    ],
)
def test_hosts_are_names(roots: bytes, hosts: Any) -> None:
    with pytest.raises(BadOption, match="host name") as caught:
        smn(roots, hosts=hosts)
    assert caught.value.option == "hosts"


@pytest.mark.parametrize("given", [1, [], b"x", "", "/nonexistent", "\x00", Path(__file__).read_bytes()])
def test_roots_are_a_file_of_certificates(given: Any) -> None:
    with pytest.raises(BadOption, match="PEM") as caught:
        smn(given)
    assert caught.value.option == "roots"


def test_a_missing_topic_is_an_option_too(roots: bytes) -> None:
    with pytest.raises(BadOption, match="must be a list of URNs"):
        Smn(roots=roots)


def test_in_earnest_it_is_the_system_that_is_trusted() -> None:
    scheme = Smn(topics=[TOPIC])
    assert (scheme.window_s, scheme.parts) == (3600.0, ())


def test_without_cryptography_it_says_what_to_install() -> None:
    code = "import sys; sys.modules['cryptography'] = None; from events.signatures import registry; assert registry.find('smn')"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
    with (
        patch.dict(sys.modules, {"cryptography.x509": None}),
        pytest.raises(CryptoMissing, match="pip install 'cryptography") as caught,
    ):
        Smn(topics=[TOPIC])
    assert caught.value.option == "scheme"
