"""AES-256-CBC with PKCS#7: against NIST's vector and padding made by hand, one refusal for all that is wrong, and life without it."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from unittest.mock import patch

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from events.signatures import CryptoMissing, Refusal, aes
from events.signatures.feishu import Feishu
from events.signatures.wecom import WeCom
from tests.events.signatures.contract import thoroughly

KEY = b"fake key, fake key, fake key 32b"
IV = bytes(range(16))
BLOCKS = st.sampled_from([16, 32])


def raw(padded: bytes, key: bytes = KEY, iv: bytes = IV) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def b64(sealed: bytes) -> str:
    return base64.b64encode(sealed).decode()


GOOD = b64(raw(b"\x10" * 16))


def told(text: object, block: int = 16, iv: bytes | None = IV) -> bytes | str:
    """Return what is opened, or the whole of the refusal."""
    try:
        return aes.opened(KEY, text, block, iv)
    except Refusal as refusal:
        return f"{refusal.refused}"


REFUSED = told("")


def test_published_vectors() -> None:
    """Feishu's page on encryption; NIST SP 800-38A, F.2.5, first block."""
    known = "P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk="
    assert aes.opened(hashlib.sha256(b"test key").digest(), known, 16) == b"hello world"
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a")
    sealed = base64.b64decode(aes.sealed(key, plain, 16, IV))
    assert sealed[:16].hex() == "f58c4c04d6e5f1ba779eabfb5f7bfbd6"
    assert len(sealed) == 32
    assert aes.opened(key, b64(sealed), 16, IV) == plain


@thoroughly
@given(plain=st.binary(max_size=200), block=BLOCKS, iv=st.none() | st.binary(min_size=16, max_size=16))
def test_what_is_sealed_opens_again_and_others_can_read_it(plain: bytes, block: int, iv: bytes | None) -> None:
    text = aes.sealed(KEY, plain, block, iv)
    assert aes.opened(KEY, text, block, iv) == plain
    sealed = base64.b64decode(text, validate=True)
    first, rest = (sealed[:16], sealed[16:]) if iv is None else (iv, sealed)
    decryptor = Cipher(algorithms.AES(KEY), modes.CBC(first)).decryptor()
    count = block - len(plain) % block
    assert decryptor.update(rest) + decryptor.finalize() == plain + bytes([count]) * count


def test_no_two_are_sealed_under_the_same_random_iv() -> None:
    assert len({aes.sealed(KEY, b"", 16) for _ in range(50)}) == 50


@pytest.mark.parametrize("block", [16, 32])
def test_every_good_padding_is_taken_off(block: int) -> None:
    for count in range(1, block + 1):
        plain = b"x" * (2 * block - count)
        assert told(b64(raw(plain + bytes([count]) * count)), block) == plain


@pytest.mark.parametrize("block", [16, 32])
@pytest.mark.parametrize(
    "end",
    [b"\x00", b"\x21", b"\xff", b"\x03\x02", b"\x01\x02\x03", b"\x02\x03\x03", b"\x00" * 16, b"\x21" * 32],
)
def test_every_bad_padding_is_refused_in_the_same_words(block: int, end: bytes) -> None:
    assert told(b64(raw(b"x" * (2 * block - len(end)) + end)), block) == REFUSED


def test_padding_longer_than_the_block_is_refused() -> None:
    assert told(b64(raw(b"x" * 15 + b"\x11" * 17)), 16) == REFUSED
    assert told(b64(raw(b"x" * 15 + b"\x11" * 17)), 32) == b"x" * 15


@pytest.mark.parametrize(
    "text",
    [
        *(
            None,
            1,
            b"",
            [],
            "",
            "=",
            "====",
            "é",
            "\udcff",
            "AAAA",
            "AAAA AAAA",
            "A" * 63 + "*",
            "A" * 62,
            "A\n" + "A" * 63,
        ),
        *(f"{GOOD[:4]}{blank}{GOOD[4:]}" for blank in (" ", "\n", "*", "=", "é")),
        *(b64(raw(b"x" * 16)[:15]), b64(raw(b"x" * 16) + b"x"), b64(IV), b64(IV[:15])),
    ],
)
def test_what_is_no_ciphertext_is_refused_in_the_same_words(text: object) -> None:
    assert told(text) == told(text, iv=None) == REFUSED


def test_blocks_of_16_are_not_enough_where_32_are_padded_to() -> None:
    sealed = raw(b"x" * 15 + b"\x01")
    assert told(b64(sealed)) == b"x" * 15
    assert told(b64(sealed), 32) == REFUSED


@thoroughly
@given(text=st.text(max_size=60) | st.binary(max_size=100).map(b64), block=BLOCKS, iv=st.sampled_from([None, IV]))
def test_any_text_is_opened_or_refused(text: str, block: int, iv: bytes | None) -> None:
    first = told(text, block, iv)
    assert first == told(text, block, iv)
    assert isinstance(first, bytes) or first == REFUSED


@pytest.mark.parametrize("iv", [None, IV])
def test_with_one_bit_flipped_it_is_never_what_it_was(iv: bytes | None) -> None:
    plain = b"a small message, not secret"
    sealed = base64.b64decode(aes.sealed(KEY, plain, 16, iv))
    for bit in range(8 * len(sealed)):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        assert told(b64(bytes(flipped)), 16, iv) != plain


def test_without_cryptography_it_is_said_at_start_what_to_install() -> None:
    with patch.dict(sys.modules, {"cryptography.hazmat.primitives.ciphers": None}):
        with pytest.raises(CryptoMissing, match=r"^feishu with an encrypt_key needs the cryptography package: pip"):
            Feishu().key({"token": "fake", "encrypt_key": "fake"})
        with pytest.raises(CryptoMissing, match=r"^wecom needs the cryptography package: pip"):
            WeCom(receive_id="").key({"token": "fake", "aes_key": "A" * 43})
        assert Feishu().key({"token": "fake"}).encrypt_key is None
    aes.required("nothing")


def test_nothing_but_a_key_needs_cryptography() -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from events.signatures import aes, dingtalk, feishu, wecom\n"
        "feishu.Feishu().key({'token': 'fake'}); wecom.WeCom(receive_id='')"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
