"""Which certificates of signers are believed, and the keys in them; for the scheme `smn`. Needs the optional cryptography package."""

from __future__ import annotations

import contextlib
import re
import ssl
import warnings
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from events.signatures import CryptoMissing, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm
    from cryptography.x509 import Certificate

_RSA_BITS = range(2048, 8193)
_HASHES = ("sha256", "sha384", "sha512")
_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Chain:
    """What a URL gave: the certificate that signs, and others that may lead from it to a trusted one."""

    leaf: Certificate
    others: tuple[Certificate, ...]


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A trusted certificate's key, with the hash that the certificate itself is signed with."""

    key: RSAPublicKey
    algorithm: HashAlgorithm

    def made(self, signature: bytes, text: bytes) -> bool:
        """Whether the signature (RSA, PKCS #1 v1.5) is this key's, of this text. Never raises."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import padding

        try:
            self.key.verify(signature, text, padding.PKCS1v15(), self.algorithm)
        except InvalidSignature:
            return False
        return True


class Trust:
    """Which certificates are believed: those that lead to a trusted one and are for a name that is asked, and trusted ones themselves."""

    def __init__(self, roots: bytes | None = None) -> None:
        """Trust the certificates in PEM; None: the authorities of the system, or of certifi where it has no such file.

        Raises ValueError when there is no certificate or a broken one, CryptoMissing.
        """
        try:
            from cryptography.x509 import verification
        except ImportError:
            raise CryptoMissing("the scheme smn") from None
        with _quiet():
            self._roots = tuple(_system_roots() if roots is None else parsed(roots))
            own = () if roots is None else self._roots
            self._pinned = tuple((leaf, key) for leaf in own if not _is_authority(leaf) and (key := _usable(leaf)))
        self._store = verification.Store(list(self._roots))

    @property
    def only_pinned(self) -> bool:
        """Whether there are only certificates that sign: no certificate that is fetched could lead to them."""
        return len(self._pinned) == len(self._roots)

    def pinned(self, made: Callable[[SigningKey], bool], now: float) -> bool:
        """Whether one of the certificates that the operator named made a signature, as `made` tells of a key.

        Raises Refusal when one did that does not count at `now`.
        """
        problems = [_untimely(leaf, now) for leaf, key in self._pinned if made(key)]
        # A newer certificate may have the key of one that ended.
        if problems and all(problems):
            raise refusal(str(problems[0]))
        return bool(problems)

    def key(self, chain: Chain, names: Sequence[str], now: float) -> SigningKey:
        """Return the key of a certificate that counts at `now` and is for one of the names. Raises Refusal."""
        try:
            return self._key(chain, names, now)
        except Refusal:
            raise
        except Exception as error:  # noqa: BLE001  A stranger's bytes: whatever the library stumbles over, it is no certificate to trust.
            raise refusal(f"the certificate cannot be read: {told(error)}") from None

    def _key(self, chain: Chain, names: Sequence[str], now: float) -> SigningKey:
        key = _signing_key(chain.leaf)
        if problem := _untimely(chain.leaf, now):
            raise refusal(problem)
        if chain.leaf not in self._roots:
            self._prove(chain, names, now)
        return key

    def _prove(self, chain: Chain, names: Sequence[str], now: float) -> None:
        """Find a way to a trusted certificate, for the first of the names that will do. Raises Refusal."""
        problems = []
        for name in names:
            problem = self._problem(chain, name, now)
            if problem is None:
                return
            problems.append(problem)
        raise refusal(f"the certificate is not one of a trusted authority for {names[0]}: {problems[0]}")

    def _problem(self, chain: Chain, name: str, now: float) -> str | None:
        """Look for a way as a TLS client does (RFC 5280 and the CA/B Forum's profile of it); return why there is none, or None."""
        from cryptography.x509 import DNSName
        from cryptography.x509.verification import PolicyBuilder, VerificationError

        at = datetime.fromtimestamp(now, tz=timezone.utc).replace(tzinfo=None)
        verifier = PolicyBuilder().store(self._store).time(at).build_server_verifier(DNSName(name))
        try:
            verifier.verify(chain.leaf, list(chain.others))
        except VerificationError as error:
            return told(error)
        return None


def _signing_key(leaf: Certificate) -> SigningKey:
    """Return the key that a certificate is for. Raises Refusal for one that is too weak, and whatever the library does."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    key, algorithm = leaf.public_key(), leaf.signature_hash_algorithm
    if not isinstance(key, RSAPublicKey) or key.key_size not in _RSA_BITS:
        raise refusal("the certificate's key is not RSA of 2048 to 8192 bits")
    if algorithm is None or algorithm.name not in _HASHES:
        raise refusal("the certificate is not signed with SHA-256, SHA-384 or SHA-512")
    return SigningKey(key, algorithm)


def _untimely(leaf: Certificate, now: float) -> str | None:
    """Return why a certificate does not count at this time, or None."""
    if now < leaf.not_valid_before_utc.timestamp():
        return f"the certificate does not count before {leaf.not_valid_before_utc.isoformat()}"
    if now > leaf.not_valid_after_utc.timestamp():
        return f"the certificate ended on {leaf.not_valid_after_utc.isoformat()}"
    return None


def _usable(leaf: Certificate) -> SigningKey | None:
    """Return the key of a certificate that the operator named, None where it cannot sign: that is told when it comes with a message."""
    try:
        return _signing_key(leaf)
    except Exception:  # noqa: BLE001  As in `Trust.key`: the library's errors are of several families.
        return None


def _is_authority(certificate: Certificate) -> bool:
    """Whether it may sign others (RFC 5280, 4.2.1.9); one whose extensions cannot be read is left to the library to judge."""
    from cryptography.x509 import BasicConstraints, ExtensionNotFound

    try:
        return certificate.extensions.get_extension_for_class(BasicConstraints).value.ca
    except ExtensionNotFound:
        return False
    except Exception:  # noqa: BLE001  As above.
        return True


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence what the library says of authorities that are no longer made as they were: they are the operator's choice."""
    from cryptography.utils import CryptographyDeprecationWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def parsed(data: bytes, most: int | None = None) -> list[Certificate]:
    """Return the certificates in PEM (RFC 7468), at least one. Raises ValueError."""
    from cryptography.x509 import load_pem_x509_certificate

    found = _PEM.findall(data)
    if not found:
        raise ValueError("there is no certificate in PEM")
    if most is not None and len(found) > most:
        raise ValueError(f"there are more than {most} certificates")
    try:
        return [load_pem_x509_certificate(each) for each in found]
    except Exception as error:  # noqa: BLE001  The library has errors of several families for this; InvalidVersion is no ValueError.
        raise ValueError(told(error)) from None


def _system_roots() -> list[Certificate]:
    """Return the authorities that this machine trusts, save those that the library has no form for."""
    import certifi

    data = Path(ssl.get_default_verify_paths().cafile or certifi.where()).read_bytes()
    found = []
    for each in _PEM.findall(data):
        with contextlib.suppress(ValueError):
            found += parsed(each)
    return found


def refusal(detail: str) -> Refusal:
    """Return the refusal of a certificate."""
    return Refusal("certificate_refused", detail)


def told(error: Exception) -> str:
    """Return what a library says, which may quote the certificate: short, and no character of it acts."""
    return f"{type(error).__name__}: {str(error)!r}"[:100]
