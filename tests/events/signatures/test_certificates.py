"""Certificates that are believed and that are not, made for real, and how seldom they are fetched."""

from __future__ import annotations

import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from events.outward import OutwardFailed, OutwardRefused
from events.signatures import Refusal
from events.signatures.certificates import (
    FAILED_S,
    KEPT_S,
    LONGEST_CHAIN,
    MOST,
    MOST_AGAIN,
    MOST_NEW,
    MOST_WAITING,
    Certificates,
)
from events.signatures.trust import Chain, Trust
from tests.events.signatures.contract import NOW, thoroughly
from tests.events.signatures.pki import (
    DAY,
    HOST,
    TODAY,
    Made,
    between,
    ec_key,
    made,
    root,
    rsa_key,
    signer,
    with_broken_extension,
    with_negative_serial,
    with_sha1,
)

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
URL = f"https://{HOST}/smn/SMN_cn-north-4_{'0' * 32}.pem"
NAMES = (HOST, "smn.huaweicloud.com")


@pytest.fixture(scope="module")
def trust() -> Trust:
    return trusting(root())


def trusting(*roots: Made) -> Trust:
    return Trust(b"".join(each.pem for each in roots))


def chain(leaf: Made, *others: Made) -> Chain:
    return Chain(leaf.certificate, tuple(each.certificate for each in others))


def refused(trust: Trust, given: Chain, now: float = NOW) -> str:
    with pytest.raises(Refusal) as caught:
        trust.key(given, NAMES, now)
    assert caught.value.refused.reason == "certificate_refused"
    assert len(caught.value.refused.detail) < 300
    return caught.value.refused.detail


# What is believed


def test_a_certificate_that_leads_to_a_trusted_one(trust: Trust) -> None:
    key = trust.key(chain(signer(), between()), NAMES, NOW)
    assert key.made(signer().signs(b"text"), b"text")
    assert not key.made(signer().signs(b"text"), b"texT")
    assert not key.made(between().signs(b"text"), b"text")
    assert not key.made(b"", b"text")


def test_others_may_come_in_any_order_and_with_the_root(trust: Trust) -> None:
    trust.key(chain(signer(), root(), made("unrelated"), between()), NAMES, NOW)
    trust.key(chain(made("direct", root())), NAMES, NOW)


@pytest.mark.parametrize("algorithm", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
def test_the_hash_is_the_one_that_the_certificate_is_signed_with(trust: Trust, algorithm: hashes.HashAlgorithm) -> None:
    leaf = made("signer", between(), algorithm=algorithm)
    key = trust.key(chain(leaf, between()), NAMES, NOW)
    assert key.made(leaf.signs(b"text", algorithm), b"text")
    assert not key.made(leaf.signs(b"text", hashes.SHA224()), b"text")


@pytest.mark.parametrize(
    "names",
    [["smn.huaweicloud.com"], ["*.huaweicloud.com"], ["x.example.com", HOST], ["*.cn-north-4.myhuaweicloud.com"]],
)
def test_a_name_of_smn_will_do(trust: Trust, names: list[str]) -> None:
    trust.key(chain(made("signer", between(), names=names), between()), NAMES, NOW)


def test_a_certificate_that_the_operator_names_needs_no_authority() -> None:
    """Whoever names it knows it: only its dates, key and hash still count."""
    own = made("own", names=())
    trust = trusting(root(), own)
    assert trust.key(chain(own), NAMES, NOW).made(own.signs(b"text"), b"text")
    assert "ended on 2025-07-15" in refused(trust, chain(own), NOW + 31 * 86_400)


def test_an_authority_in_the_middle_may_be_the_one_that_is_trusted() -> None:
    trusting(between()).key(chain(signer()), NAMES, NOW)


def test_dates_count_to_the_second(trust: Trust) -> None:
    given = chain(made("signer", between(), begins=TODAY, ends=TODAY + DAY), between())
    trust.key(given, NAMES, NOW)
    trust.key(given, NAMES, NOW + 86_400)
    assert "does not count before 2025-06-15" in refused(trust, given, NOW - 1)
    assert "ended on 2025-06-16" in refused(trust, given, NOW + 86_401)


# What is not


def ended_authority() -> Chain:
    ended = made("between", root(), authority=True, ends=TODAY - DAY)
    return chain(made("signer", ended), ended)


def below_a_leaf() -> Chain:
    return chain(made("x", signer()), signer(), between())


def below_sha1() -> Chain:
    old = with_sha1(between(), root())
    return chain(made("signer", old), old)


WRONG: dict[str, tuple[Callable[[], Chain], str]] = {
    "ended": (lambda: chain(made("signer", between(), ends=TODAY - DAY), between()), "ended on 2025-06-14"),
    "not begun": (
        lambda: chain(made("signer", between(), begins=TODAY + DAY), between()),
        "does not count before 2025-06-16",
    ),
    "authority ended": (ended_authority, "not one of a trusted authority"),
    "self-signed": (lambda: chain(made("signer")), "not one of a trusted authority"),
    "link missing": (lambda: chain(signer()), "not one of a trusted authority"),
    "other root": (
        lambda: chain(made("signer", made("other", authority=True)), made("other", authority=True)),
        "not one of",
    ),
    "same name, other key": (
        lambda: chain(made("signer", made("root", authority=True, key=rsa_key("x")))),
        "not one of",
    ),
    "other name": (lambda: chain(made("signer", between(), names=["evil.example.com"]), between()), "not one of"),
    "tenant's name": (
        lambda: chain(made("signer", between(), names=["a.obs.cn-north-4.myhuaweicloud.com"]), between()),
        "not one of",
    ),
    "name above": (
        lambda: chain(made("signer", between(), names=["myhuaweicloud.com", "*.com"]), between()),
        "not one of",
    ),
    "no name": (lambda: chain(made(HOST, between(), names=()), between()), "not one of"),
    "leaf as authority": (below_a_leaf, "not one of"),
    "authority as leaf": (lambda: chain(between()), "not one of"),
    "SHA-1": (
        lambda: chain(with_sha1(signer(), between()), between()),
        "SHA-256, SHA-384 or SHA-512",
    ),
    "SHA-1 above": (below_sha1, "not one of"),
    "SHA-224": (
        lambda: chain(made("signer", between(), algorithm=hashes.SHA224()), between()),
        "SHA-256, SHA-384 or SHA-512",
    ),
    "EC key": (lambda: chain(made("signer", between(), key=ec_key()), between()), "not RSA of 2048 to 8192 bits"),
    "short key": (
        lambda: chain(made("signer", between(), key=rsa_key("short", 1024)), between()),
        "not RSA of 2048 to 8192 bits",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_certificate_that_is_not_believed(trust: Trust, case: str) -> None:
    given, told = WRONG[case]
    assert told in refused(trust, given())


def test_a_name_cannot_carry_what_it_likes_into_the_log(trust: Trust) -> None:
    assert "\n" not in refused(trust, chain(made("signer\r\nlevel=info", key=rsa_key("signer"))))


def test_a_trusted_sha1_certificate_cannot_sign_all_the_same() -> None:
    own = with_sha1(made("own"), made("own"))
    assert "SHA-256" in refused(trusting(own), chain(own))


def test_the_systems_authorities_are_trusted_where_nothing_is_said() -> None:
    assert "not one of a trusted authority" in refused(Trust(), chain(signer(), between(), root()))


@pytest.mark.parametrize("data", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_file_of_no_certificates_is_an_error_at_once(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"certificate|ASN|parsing"):
        Trust(data)


def test_an_authority_that_is_no_longer_made_as_it_was_is_taken_in_silence() -> None:
    """Bundles of systems have such: here warnings are errors."""
    key = Trust(with_negative_serial(root()) + root().pem).key(chain(signer(), between()), NAMES, NOW)
    assert key.made(signer().signs(b"text"), b"text")


# Certificates that the operator names


def pinned(trust: Trust, by: Made, now: float = NOW) -> bool:
    signature = by.signs(b"text")
    return trust.pinned(lambda key: key.made(signature, b"text"), now)


def test_a_named_certificate_that_signs_needs_no_other() -> None:
    own, unsaid = made("own"), made("unsaid", names=())
    trust = trusting(own, unsaid, root())
    assert [pinned(trust, by) for by in (own, unsaid, root(), signer())] == [True, True, False, False]
    assert not trust.only_pinned
    assert trusting(own, unsaid).only_pinned
    assert not Trust().only_pinned


def test_a_named_certificate_that_ended_does_not_sign_but_a_newer_one_with_its_key_does() -> None:
    old = made("own", ends=TODAY - DAY)
    with pytest.raises(Refusal, match="the certificate ended on 2025-06-14"):
        pinned(trusting(old), old)
    assert pinned(trusting(old, made("own")), old)


@pytest.mark.parametrize("weak", ["ec", "short", "unreadable"])
def test_a_named_certificate_that_cannot_sign_is_judged_when_it_comes(weak: str) -> None:
    own = made("own", key=ec_key() if weak == "ec" else rsa_key("short", 1024) if weak == "short" else None)
    own = with_broken_extension(own) if weak == "unreadable" else own
    trust = trusting(own)
    assert not trust.pinned(lambda _: True, NOW)
    assert not trust.only_pinned


# How often is fetched


class Asked:
    """A guard that gives these bytes, or raises this, for every URL but those in `only`; `urls` are those asked, `asked` is how many."""

    def __init__(self, gives: bytes | Exception) -> None:
        self.gives = gives
        self.only: dict[str, bytes] = {}
        self.urls: list[str] = []

    @property
    def asked(self) -> int:
        return len(self.urls)

    def get(self, url: str) -> bytes:
        self.urls.append(url)
        gives = self.only.get(url, self.gives)
        if isinstance(gives, Exception):
            raise gives
        return gives


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def certificates(gives: bytes | Exception) -> tuple[Certificates, Any, Clock]:
    guard: Any = Asked(gives)
    clock = Clock()
    return Certificates(guard, clock=clock), guard, clock


def told(kept: Certificates, url: str = URL, reason: str = "certificate_refused") -> str:
    with pytest.raises(Refusal) as caught:
        kept.chain(url)
    assert caught.value.refused.reason == reason
    return caught.value.refused.detail


def test_a_certificate_is_fetched_once_a_day() -> None:
    kept, guard, clock = certificates(signer().pem + between().pem)
    assert kept.chain(URL) == chain(signer(), between())
    clock.now = KEPT_S - 1
    assert kept.chain(URL).leaf == signer().certificate
    assert guard.asked == 1
    clock.now = KEPT_S
    kept.chain(URL)
    assert guard.asked == 2


@pytest.mark.parametrize(
    ("gives", "detail"),
    [
        (OutwardFailed("it answered 404"), "cannot be fetched: it answered 404"),
        (OutwardRefused("it is at '127.0.0.1'"), "cannot be fetched: it is at '127.0.0.1'"),
        (b"<html>", "there is no certificate in PEM"),
        (b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n", "cannot be read"),
        (b"-----BEGIN CERTIFICATE-----\n" * 9, "there is no certificate in PEM"),
        (
            b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----\n" * (LONGEST_CHAIN + 1),
            "more than 8 certificates",
        ),
    ],
)
def test_a_failure_is_remembered_for_a_minute(gives: bytes | Exception, detail: str) -> None:
    kept, guard, clock = certificates(gives)
    assert detail in told(kept)
    clock.now = FAILED_S - 1
    assert detail in told(kept)
    assert guard.asked == 1
    clock.now, guard.gives = FAILED_S, signer().pem
    assert kept.chain(URL) == chain(signer())


def test_a_flood_of_urls_is_no_flood_of_fetches_and_forgets_nothing_good() -> None:
    kept, guard, clock = certificates(signer().pem)
    kept.chain(URL)
    guard.gives = OutwardFailed("it answered 404")
    for number in range(1000):
        told(kept, f"{URL}?{number}", "certificate_refused" if number < MOST_NEW - 1 else "try_later")
    assert guard.asked == MOST_NEW
    assert "too many" in told(kept, f"{URL}?another", "try_later")
    assert kept.chain(URL) == chain(signer())
    guard.gives, clock.now = signer().pem, KEPT_S - 1
    for number in range(1000, 1000 + MOST_NEW):
        kept.chain(f"{URL}?{number}")
    clock.now = KEPT_S
    assert "too many" in told(kept, f"{URL}?yet another", "try_later")
    assert kept.chain(URL) == chain(signer()), "what was good before is asked again all the same"


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ("smn.example.com answered 404; only 2xx will do", "certificate_refused"),
        ("smn.example.com answered 302; only 2xx will do", "certificate_refused"),
        ("smn.example.com answered more than 65536 bytes", "certificate_refused"),
        ("smn.example.com answered what is no HTTP", "certificate_refused"),
        *(
            (f"smn.example.com answered {status}; only 2xx will do", "try_later")
            for status in (408, 429, 500, 503, 599)
        ),
        ("smn.example.com took longer than 5 s", "try_later"),
        ("smn.example.com broke off", "try_later"),
        ("asking smn.example.com failed: OSError: 'nobody answered 404'", "try_later"),
    ],
)
def test_a_failure_that_may_pass_is_no_judgement(detail: str, reason: str) -> None:
    kept, guard, clock = certificates(OutwardFailed(detail))
    assert told(kept, reason=reason) == f"the certificate cannot be fetched: {detail}"
    told(kept, reason=reason)
    assert guard.asked == 1
    clock.now, guard.gives = FAILED_S, signer().pem
    assert kept.chain(URL) == chain(signer())


def ask(kept: Certificates, url: str) -> str | None:
    """Return the reason of a refusal, None when there is none."""
    try:
        kept.chain(url)
    except Refusal as refusal:
        return refusal.refused.reason
    return None


def attacked() -> tuple[Certificates, Any, Clock]:
    """Return certificates of which only the one at URL is there, after strangers used up what may be asked."""
    kept, guard, clock = certificates(OutwardFailed("it answered 404"))
    guard.only[URL] = signer().pem
    for number in range(MOST_NEW):
        assert ask(kept, f"{URL}?{number}") == "certificate_refused"
    return kept, guard, clock


def test_strangers_cannot_keep_out_a_url_that_is_named_again() -> None:
    kept, guard, _ = attacked()
    assert ask(kept, URL) == "try_later"
    for number in range(MOST_WAITING - 1):
        assert ask(kept, f"{URL}?x{number}") == "try_later"
    assert guard.asked == MOST_NEW
    assert ask(kept, URL) is None


def test_strangers_who_name_their_urls_again_delay_it_by_a_minute_for_each_of_its_messages_at_most() -> None:
    """They would have to name as many as may be asked, each more often than it is named itself; and it is asked whoever comes."""
    kept, guard, clock = attacked()
    ask(kept, "https://evil.example/0")
    for number in range(MOST_AGAIN - MOST_NEW):
        for _ in range(2):
            ask(kept, f"{URL}?again{number}")
    assert guard.asked == MOST_AGAIN
    assert [ask(kept, URL) for _ in range(3)] == ["try_later"] * 3
    for number in range(MOST_AGAIN):
        assert [ask(kept, f"{URL}?next{number}") for _ in range(2)] == ["try_later"] * 2
    clock.now = FAILED_S
    assert ask(kept, f"{URL}?anybody") == "try_later"
    assert guard.urls[MOST_AGAIN:] == [URL]
    assert ask(kept, URL) is None


def test_who_waits_is_bounded_and_the_first_of_the_least_named_is_forgotten() -> None:
    kept, guard, _ = attacked()
    ask(kept, URL)
    for number in range(3 * MOST_WAITING):
        ask(kept, f"{URL}?x{number}")
    assert len(kept._waiting) == MOST_WAITING
    assert ask(kept, URL) == "try_later"
    assert ask(kept, URL) is None
    assert guard.asked == MOST_NEW + 1


def test_a_long_attack_fills_no_memory() -> None:
    kept, guard, clock = certificates(signer().pem)
    for number in range(10 * MOST):
        clock.now += FAILED_S / MOST_NEW
        kept.chain(f"{URL}?{number}")
    assert len(kept._entries) == MOST
    assert len(kept._new) <= MOST_NEW
    kept.chain(f"{URL}?{10 * MOST - 1}")
    assert guard.asked == 10 * MOST, "the oldest are forgotten"


def test_those_who_ask_at_the_same_time_share_one_fetch() -> None:
    waiting = threading.Barrier(9, timeout=30)
    begun, done = threading.Event(), threading.Event()

    class Slow(Asked):
        def get(self, url: str) -> bytes:
            begun.set()
            assert done.wait(30)
            return super().get(url)

    guard: Any = Slow(signer().pem)
    kept = Certificates(guard)

    def ask() -> Chain:
        waiting.wait()
        return kept.chain(URL)

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(ask) for _ in range(8)]
        waiting.wait()
        assert begun.wait(30)
        done.set()
        assert {id(each.result(30)) for each in asked} == {id(kept.chain(URL))}
    assert guard.asked == 1


def test_whoever_waits_for_a_fetch_that_breaks_is_told() -> None:
    kept, guard, _ = certificates(KeyError("a bug"))
    with pytest.raises(KeyError):
        kept.chain(URL)
    assert told(kept, reason="try_later") == "the certificate was not fetched"
    assert guard.asked == 1


@pytest.mark.filterwarnings("ignore::UserWarning")
@thoroughly
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4))
def test_no_damaged_certificate_does_more_than_be_refused(trust: Trust, changes: list[tuple[int, int]]) -> None:
    raw = bytearray(signer().certificate.public_bytes(Encoding.DER))
    for place, value in changes:
        raw[place % len(raw)] = value
    guard: Any = Asked(ssl.DER_cert_to_PEM_cert(bytes(raw)).encode() + between().pem)
    try:
        key = trust.key(Certificates(guard).chain(URL), NAMES, NOW)
    except Refusal:
        return
    assert bytes(raw) == signer().certificate.public_bytes(Encoding.DER)
    assert key.made(signer().signs(b"text"), b"text")


def test_it_is_imported_without_cryptography() -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None; import events.signatures.certificates, events.signatures.trust"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
