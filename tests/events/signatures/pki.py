"""Certificates made for a test: a root, an authority below it, and those who sign messages, each as wrong as the test wants it."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from tests.events.signatures.contract import NOW

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST = "smn.cn-north-4.myhuaweicloud.com"
TODAY = datetime.fromtimestamp(NOW, tz=timezone.utc)
DAY = timedelta(days=1)


@lru_cache(maxsize=16)
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Return the RSA key of this name, made once: that takes its time."""
    assert name
    return rsa.generate_private_key(65537, bits)


def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Any

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def signs(self, text: bytes, algorithm: hashes.HashAlgorithm | None = None) -> bytes:
        return bytes(self.key.sign(text, padding.PKCS1v15(), algorithm or hashes.SHA256()))


def made(
    name: str,
    issuer: Made | None = None,
    *,
    authority: bool = False,
    names: Sequence[str] = (HOST,),
    begins: datetime = TODAY - 30 * DAY,
    ends: datetime = TODAY + 30 * DAY,
    key: Any = None,
    algorithm: Any = None,
) -> Made:
    """Return a certificate of this name, signed by its issuer or by itself."""
    key = key or rsa_key(name)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signer = issuer.key if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
        .add_extension(_usage(authority), critical=True)
    )
    if names and not authority:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False
        )
    return Made(builder.sign(signer, algorithm or hashes.SHA256()), key)


def with_sha1(plain: Made, issuer: Made) -> Made:
    """Return the same certificate signed with SHA-1, which the library does not do any more: its algorithm's OID, its signature."""
    family = bytes.fromhex("06092a864886f70d0101")
    sha256, sha1 = family + b"\x0b", family + b"\x05"
    raw = plain.certificate.public_bytes(serialization.Encoding.DER).replace(sha256, sha1)
    signature = issuer.signs(plain.certificate.tbs_certificate_bytes.replace(sha256, sha1), hashes.SHA1())
    return Made(x509.load_der_x509_certificate(raw[: -len(signature)] + signature), plain.key)


def with_negative_serial(own: Made) -> bytes:
    """Return the same certificate, of an authority of its own, in PEM with a serial number below 0, as old ones have them."""
    number, text = own.certificate.serial_number, own.certificate.tbs_certificate_bytes
    serial = number.to_bytes(number.bit_length() // 8 + 1, "big")
    changed = text.replace(serial, bytes([serial[0] | 0x80]) + serial[1:], 1)
    raw = own.certificate.public_bytes(serialization.Encoding.DER).replace(text, changed)
    return ssl.DER_cert_to_PEM_cert(raw[: -len(own.certificate.signature)] + own.signs(changed)).encode()


def with_broken_extension(plain: Made) -> Made:
    """Return the same certificate with basic constraints (2.5.29.19) that are no DER; its signature is not right any more."""
    head = bytes.fromhex("0603551d130101ff0402")
    raw = plain.certificate.public_bytes(serialization.Encoding.DER)
    assert raw.count(head + b"\x30\x00") == 1
    return Made(x509.load_der_x509_certificate(raw.replace(head + b"\x30\x00", head + b"\x30\x01")), plain.key)


def _usage(authority: bool) -> x509.KeyUsage:
    nothing = dict.fromkeys(
        [
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ],
        False,
    )
    return x509.KeyUsage(digital_signature=not authority, key_cert_sign=authority, crl_sign=authority, **nothing)


@lru_cache(maxsize=1)
def root() -> Made:
    return made("root", authority=True)


@lru_cache(maxsize=1)
def between() -> Made:
    return made("between", root(), authority=True)


@lru_cache(maxsize=1)
def signer() -> Made:
    return made("signer", between())
