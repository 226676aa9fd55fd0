"""What the http sink signs, read by the reference library of Standard Webhooks and by our own verifier."""

from __future__ import annotations

import base64
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook, WebhookVerificationError

from events.cloudevents import CloudEvent
from events.cloudevents.http import from_http
from events.signatures import BadSecret, CryptoMissing, Secret, Secrets, Verified
from events.signatures.standard import Standard
from events.sinks import SinkRefused
from events.sinks.http import Http
from events.sinks.signing import Signer
from tests.events.sinks.support import EVENT, receiving

if TYPE_CHECKING:
    from tests.events.sinks.support import Post

ONE = "whsec_" + base64.b64encode(b"not a real secret, only for tests").decode()
OTHER = "whsec_" + base64.b64encode(b"another secret, and as unreal one").decode()
SEED = bytes(range(32))
PRIVATE = "whsk_" + base64.b64encode(SEED).decode()
PUBLIC = "whpk_" + base64.b64encode(Ed25519PrivateKey.from_private_bytes(SEED).public_key().public_bytes_raw()).decode()


def posted(*secrets: str, **options: Any) -> Post:
    with receiving() as receiver, closing(Http(receiver.url, {}, signer=Signer(secrets), **options)) as sink:
        sink.emit(EVENT)
    return receiver.posts[0]


def verified(post: Post, secret: str, now: float | None = None) -> bool:
    scheme = Standard()
    secrets = Secrets("us", (Secret(scheme.key({"secret": secret}), "test"),))
    found = scheme.verify(post.body, post.headers, {}, secrets, time.time() if now is None else now)
    return isinstance(found, Verified) and found.id == EVENT.id


@pytest.mark.parametrize("mode", ["structured", "binary"])
def test_the_reference_library_takes_it(mode: str) -> None:
    post = posted(ONE, mode=mode)
    Webhook(ONE).verify(post.body, post.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OTHER).verify(post.body, post.headers)
    assert from_http(post.headers, post.body) == EVENT


def test_our_own_verifier_takes_it() -> None:
    post = posted(ONE)
    assert post.headers["webhook-id"] == EVENT.id
    assert verified(post, ONE)
    assert not verified(post, OTHER)


def test_ed25519() -> None:
    post = posted(PRIVATE)
    assert post.headers["webhook-signature"].startswith("v1a,")
    assert verified(post, PUBLIC)


def test_while_a_secret_changes_both_sign() -> None:
    post = posted(ONE, PRIVATE, OTHER)
    assert [item.partition(",")[0] for item in post.headers["webhook-signature"].split(" ")] == ["v1", "v1a", "v1"]
    assert [verified(post, secret) for secret in (ONE, OTHER, PUBLIC)] == [True] * 3
    Webhook(ONE).verify(post.body, post.headers)
    Webhook(OTHER).verify(post.body, post.headers)


def test_every_try_has_its_own_time() -> None:
    times = iter([1_750_000_000.9, 1_750_000_060.2])
    with (
        receiving(lambda _: 204) as receiver,
        closing(Http(receiver.url, {}, signer=Signer([ONE]), now=lambda: next(times))) as sink,
    ):
        sink.emit(EVENT)
        sink.emit(EVENT)
    first, second = receiver.posts
    assert [post.headers["webhook-timestamp"] for post in receiver.posts] == ["1750000000", "1750000060"]
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert verified(first, ONE, 1_750_000_000)
    assert verified(second, ONE, 1_750_000_060)
    assert not verified(first, ONE, 1_750_009_999)


@pytest.mark.parametrize("id_", ["a.b", "a b", "é", "a\r\nx: y", "x" * 256])
def test_an_id_that_no_header_carries_is_refused(id_: str) -> None:
    with closing(Http("http://localhost:1", {}, signer=Signer([ONE]))) as sink, pytest.raises(SinkRefused, match="id"):
        sink.emit(CloudEvent(id_, "/a", "b"))


@pytest.mark.parametrize("secret", [PUBLIC, "whsec_c2hvcnQ=", "no base64!", "whsk_c2hvcnQ="])
def test_what_cannot_sign_is_found_out_at_start(secret: str) -> None:
    with pytest.raises(BadSecret) as caught:
        Signer([ONE, secret])
    assert secret.removeprefix("whpk_").removeprefix("whsec_").removeprefix("whsk_") not in str(caught.value)


def test_ed25519_needs_cryptography(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric", None)
    with pytest.raises(CryptoMissing):
        Signer([PRIVATE])
    Signer([ONE])


def test_nothing_is_signed_without_a_secret() -> None:
    with receiving() as receiver, closing(Http(receiver.url, {})) as sink:
        sink.emit(EVENT)
    assert not [name for name in receiver.posts[0].headers if name.startswith("webhook-")]
