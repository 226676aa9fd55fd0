"""Huawei Cloud SMN: messages to HTTP(S) subscriptions, signed with a key whose certificate the message names."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING, Any

from events import strictjson
from events.outward import Outward, OutwardFailed, OutwardRefused
from events.problems import HttpAnswer
from events.signatures import BadOption, BadSecret, CryptoMissing, Refusal, Scheme, Signed, Verified, smn_message
from events.signatures.certificates import Certificates
from events.signatures.smn_message import CONFIRM, NOTIFY
from events.signatures.trust import Trust, refusal
from functions.cloud.endpoints import domain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from events.signatures import Delivery, Fresh, Secrets
    from events.signatures.smn_message import Message
    from events.signatures.trust import SigningKey

_TYPE_HEADER = "x-smn-message-type"
_TOPIC = re.compile(r"urn:smn:([a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?):[0-9A-Za-z_-]{1,64}:[0-9A-Za-z_-]{1,255}")


class Smn(Scheme):
    """SMN's "HTTP(S)消息格式" and "校验消息签名" (user guide): the fields of a JSON body are signed, and with them their id and time.

    There is no secret: the sender is SMN, and the topics tell whose message it is. `topics`: URNs, at least one. `hosts`: where else
    certificates and confirmations may be asked for than at the hosts of the topics' regions. `roots`: a PEM file of the certificates that
    are trusted in place of the system's: authorities, or the signing certificates themselves, for which nobody need be asked. (The
    constructor gets the file's bytes.)
    """

    name = "smn"
    default_window_s = 3600.0  # `timestamp` is of the first attempt, and how long SMN tries is not documented.
    quiet = True
    parts = ()
    options = ("topics", "hosts", "roots")
    files = ("roots",)
    headers = (_TYPE_HEADER,)
    secret_fields = ("subscribe_url", "unsubscribe_url")  # Whoever knows them may use them.

    def __init__(
        self,
        *,
        topics: Any = (),
        hosts: Any = (),
        roots: Any = None,
        window_s: float | None = None,
        outward: Callable[[Iterable[str]], Outward] = Outward,
    ) -> None:
        """As the contract says; `outward` makes the guard of some hosts. Raises BadOption, CryptoMissing."""
        super().__init__(window_s=window_s)
        self._regions = _regions(topics)
        self._trust = _trust(roots)
        signers = {f"smn.{region}.{domain(region)}" for region in self._regions.values()} | _hosts(hosts)
        consoles = {
            "console.huaweicloud.com",
            *(f"{region}-console.huaweicloud.com" for region in self._regions.values()),
        }
        try:
            self._signers, self._consoles = outward(signers), outward(signers | consoles)
        except ValueError as error:
            raise BadOption("hosts", str(error)) from None
        self._certificates = Certificates(self._signers)

    def key(self, parts: Mapping[str, str]) -> Any:  # noqa: ARG002
        """Raise BadSecret: there is none."""
        raise BadSecret("the scheme smn has no secret: remove it; the option topics tells whose messages are taken")

    def check(self, delivery: Delivery, secrets: Secrets, now: float) -> Verified:
        """Return what was sent, or raise Refusal. For a message that its own text already condemns nobody is asked anything."""
        signed = self.read(delivery)
        message: Message = signed.material
        if message.topic not in self._regions:
            raise Refusal("topic_refused", f"the topic is {repr(message.topic)[:100]}")
        self.in_window(message.time, now)
        confirm = self._confirmable(message.subscribe_url or "") if message.kind == CONFIRM else None
        self._prove(message, signed, now)
        fingerprint, body = hashlib.sha256(message.signed).hexdigest(), message.text.encode()
        # What SMN says after a subscription's end names a URL that begins it anew: it is never asked.
        answer = None if message.kind == NOTIFY else HttpAnswer(200)
        return Verified(
            secrets.sender, message.id, message.time, fingerprint, body, _content_type(body), answer, confirm
        )

    def read(self, delivery: Delivery) -> Signed:
        """As the contract says; `material` is a `Message`."""
        message = smn_message.read(delivery.body)
        if delivery.headers.get(_TYPE_HEADER, message.kind) != message.kind:
            raise Refusal("header_malformed", f"the header {_TYPE_HEADER} is not the type in the body")
        return Signed((message.signature,), message, message.id, message.time)

    def matches(self, key: SigningKey, signed: Signed) -> bool:
        """As the contract says; the key is a certificate's."""
        return key.made(base64.b64decode(signed.signatures[0]), signed.material.signed)

    def sign(self, key: Any, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002, ARG002
        """Raise BadSecret: the key is the cloud's."""
        raise BadSecret("only Huawei Cloud can sign messages of SMN: publish one to the topic")

    def confirm(self, url: str) -> None:
        """As the contract says; any 2xx counts, and the answer's body is not read for more."""
        try:
            self._consoles.get(url)
        except (OutwardRefused, OutwardFailed) as error:
            raise Refusal("body_malformed", f"the subscription cannot be confirmed: {error}") from None

    def _confirmable(self, url: str) -> str:
        try:
            self._consoles.check(url)
        except OutwardRefused as error:
            raise Refusal("body_malformed", f"subscribe_url may not be asked: {error}") from None
        return url

    def _prove(self, message: Message, signed: Signed, now: float) -> None:
        """Raise Refusal unless a trusted certificate's key made the signature. Certificates that the operator named come first."""
        if self._trust.pinned(lambda key: self.matches(key, signed), now):
            return
        if self._trust.only_pinned:
            raise Refusal(
                self.mismatch,
                "no certificate in `roots` made this signature, and no authority there vouches for others",
            )
        if not self.matches(self._key(message, now), signed):
            raise Refusal(self.mismatch, "the certificate's key did not make this signature")

    def _key(self, message: Message, now: float) -> SigningKey:
        """Return the key of the certificate that a message names. Raises Refusal."""
        try:
            target = self._signers.check(message.certificate_url)
        except OutwardRefused as error:
            raise refusal(f"signing_cert_url may not be asked: {error}") from None
        region = self._regions[message.topic]
        if not re.fullmatch(rf"/smn/SMN_{region}_[0-9a-f]{{32}}\.pem", target.path):
            raise refusal(f"the path of signing_cert_url is not /smn/SMN_{region}_<32 hex digits>.pem")
        chain = self._certificates.chain(f"https://{target.host}{target.path}")
        # Which name it has is not documented; any name below these domains would be too much, since tenants have certificates for names
        # of their own there.
        return self._trust.key(chain, (target.host, "smn.huaweicloud.com", f"smn.{domain(region)}"), now)


def _regions(topics: Any) -> dict[str, str]:
    """Return the region of each topic. Raises BadOption."""
    texts = [topic for topic in topics if isinstance(topic, str)] if isinstance(topics, (list, tuple)) else []
    forms = [form for topic in texts if (form := _TOPIC.fullmatch(topic))]
    if not forms or len(forms) != len(topics):
        raise BadOption(
            "topics", 'must be a list of URNs such as ["urn:smn:cn-north-4:<project id>:<topic>"], at least one'
        )
    return {form[0]: form[1] for form in forms}


def _hosts(hosts: Any) -> set[str]:
    if not isinstance(hosts, (list, tuple)) or not all(isinstance(host, str) for host in hosts):
        raise BadOption("hosts", 'must be a list of host names such as ["smn.example.com"]')
    return set(hosts)


def _trust(roots: Any) -> Trust:
    if not (roots is None or isinstance(roots, bytes)):
        raise BadOption("roots", "must be the path of a file of certificates in PEM")
    try:
        return Trust(roots)
    except CryptoMissing:
        raise
    except ValueError as error:
        raise BadOption("roots", f"must be the path of a file of certificates in PEM: {error}") from None


def _content_type(body: bytes) -> str:
    try:
        return "application/json" if isinstance(strictjson.loads(body), dict) else "text/plain"
    except strictjson.NotJSON:
        return "text/plain"


SCHEME = Smn
