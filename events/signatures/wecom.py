"""Callbacks of WeCom: SHA-1 over the sorted token, time, nonce and ciphertext, the message encrypted inside XML or JSON."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError, TreeBuilder, XMLParser

from events.problems import HttpAnswer
from events.signatures import BadOption, BadSecret, Fresh, Refusal, Secret, Signed, Verified, aes, same, seconds
from events.signatures.dingtalk import json_object, visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from events.signatures import Delivery

_SIGNATURE, _TIME, _NONCE, _ECHO = "msg_signature", "timestamp", "nonce", "echostr"
_HEX = re.compile(r"[0-9a-f]{40}")
# At most 64: the sorted texts are joined without a mark between them, so characters of the ciphertext could be given out as the nonce's;
# what is left of it has whole blocks only when 128 are gone.
_PLAIN_NONCE = re.compile(r"[!-~]{1,64}")
_TOKEN = re.compile(r"[0-9A-Za-z]{1,32}")
_AES_KEY = re.compile(r"[0-9A-Za-z]{43}")
_BASE64 = re.compile(r"[0-9A-Za-z+/]+={0,2}")
_ECHOED = re.compile(rb"[!-;=-z|}~][!-~]{0,255}")  # XML and JSON begin with the two that are left out.
_DTD = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_OPENING = b"<Encrypt>"
_ENCRYPT = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[([0-9A-Za-z+/]+={0,2})\]\]>|([0-9A-Za-z+/]+={0,2}))\s*</Encrypt>")
_BLOCK = 32
_RANDOM, _LENGTH = 16, 4


@dataclass(frozen=True, slots=True)
class WeComKey:
    """The Token of a callback and the 32 bytes that its EncodingAESKey stands for."""

    token: str = field(repr=False)
    aes_key: bytes = field(repr=False)


class WeCom(aes.SealedScheme):
    """WeCom ("Callback encryption and decryption"): `?msg_signature=` is hex of SHA-1 over token, timestamp, nonce and ciphertext, sorted.

    The ciphertext is AES-256-CBC of 16 random bytes, the message's length, the message and its receiver's id. It comes in `<Encrypt>`,
    in `{"encrypt"}` (bots), or for the URL check in `?echostr=`, which is answered decrypted. What else is in a body is neither signed
    nor used. Sorting does not tell a timestamp from a nonce: a request may have a second time that is signed too, but no other fingerprint.
    Option: `receive_id`, the corp's or suite's id, several as a list, "" for a bot of one's own. No window is documented.
    """

    name = "wecom"
    parts = ("token", "aes_key")
    options = ("receive_id",)
    reads_get = True
    answer_within_s = 5.0
    quiet = True

    def __init__(self, *, receive_id: str | Sequence[str] | None = None, window_s: float | None = None) -> None:
        """Make a scheme with the sender's options. Raises BadOption."""
        super().__init__(window_s=window_s)
        self.receivers = _receivers(receive_id)

    def key(self, parts: Mapping[str, str]) -> WeComKey:
        """As the contract says: `token` and `aes_key`, the EncodingAESKey as WeCom shows it."""
        if not _TOKEN.fullmatch(parts["token"]):
            raise BadSecret("token must be 1 to 32 letters and digits")
        if not _AES_KEY.fullmatch(parts["aes_key"]):
            raise BadSecret(f"aes_key must be 43 letters and digits; this one has {len(parts['aes_key'])} characters")
        aes.required("wecom")
        # The last character's two lowest bits are left over, and in the keys that WeCom makes they are not always zero.
        return WeComKey(parts["token"], base64.b64decode(parts["aes_key"] + "="))

    def read(self, delivery: Delivery) -> Signed:
        """Read the parameters and, since it is signed, the ciphertext out of the body around it."""
        signature, time, nonce = (delivery.parameter(name) for name in (_SIGNATURE, _TIME, _NONCE))
        at = seconds(time, f"the parameter {_TIME}")
        if not _HEX.fullmatch(signature):
            raise Refusal("header_malformed", f"the parameter {_SIGNATURE} is not 40 lower-case hex digits")
        if not _PLAIN_NONCE.fullmatch(nonce):
            raise Refusal("header_malformed", f"the parameter {_NONCE} is not 1 to 64 visible characters")
        return Signed((signature,), (time, nonce, _ciphertext(delivery)), None, at)

    def matches(self, key: WeComKey, signed: Signed) -> bool:
        """As the contract says."""
        return same(signed.signatures[0], _signature(key.token, *signed.material))

    def sign(self, key: WeComKey, body: bytes, now: float, id: str) -> Fresh:  # noqa: A002, ARG002
        """As the contract says: a JSON message in JSON, any other in XML; the id would have to be in the message."""
        length = len(body).to_bytes(_LENGTH, "big")
        plain = os.urandom(_RANDOM) + length + body + self.receivers[0]
        text = aes.sealed(key.aes_key, plain, _BLOCK, key.aes_key[: aes.BLOCK])
        time, nonce = str(int(now)), str(int.from_bytes(os.urandom(4), "big"))
        query = {_SIGNATURE: _signature(key.token, time, nonce, text), _TIME: time, _NONCE: nonce}
        json = body.lstrip().startswith(b"{")
        form = '{{"encrypt":"{}"}}' if json else "<xml><Encrypt><![CDATA[{}]]></Encrypt></xml>"
        return Fresh(form.format(text).encode(), {}, query)

    def verified(self, delivery: Delivery, signed: Signed, secret: Secret, sender: str) -> Verified:
        """As the contract says. Raises Refusal when the ciphertext or what is in it cannot be read, or is meant for another receiver."""
        message, receiver = _opened(secret.key.aes_key, signed.material[-1])
        if not any(same(receiver, known) for known in self.receivers):
            raise Refusal("receiver_mismatch", f"encrypted for {receiver!r:.100}")
        if not delivery.body:
            return Verified(sender, None, signed.time, signed.signatures[0], message, answer=_echo(message))
        kind, fields = _told(message)
        return Verified(sender, _id(fields, message), signed.time, signed.signatures[0], message, kind)


def _receivers(given: Any) -> tuple[bytes, ...]:
    each = [given] if isinstance(given, str) else given
    if not (isinstance(each, (list, tuple)) and each and all(isinstance(one, str) for one in each)):
        raise BadOption("receive_id", 'must be the id of the corp or suite written to, a list of such, or "" for a bot')
    return tuple(one.encode("utf-8", "surrogatepass") for one in each)


def _signature(*texts: str) -> str:
    return hashlib.sha1("".join(sorted(texts)).encode(), usedforsecurity=False).hexdigest()


def _ciphertext(delivery: Delivery) -> str:
    """Return what is encrypted, as the text that is signed. Raises Refusal."""
    body = delivery.body
    if not body:
        text = delivery.parameter(_ECHO)
        if not _BASE64.fullmatch(text):
            raise Refusal("header_malformed", f"the parameter {_ECHO} is not base64")
        return text
    if body.lstrip().startswith(b"{"):
        given = json_object(body).get("encrypt")
        if not (isinstance(given, str) and _BASE64.fullmatch(given)):
            raise Refusal("body_malformed", "the JSON body has no encrypt that is base64")
        return given
    is_xml = body.lstrip().startswith(b"<") and body.count(_OPENING) == 1 and not _DTD.search(body)
    found = _ENCRYPT.search(body) if is_xml else None
    if not found:
        raise Refusal("body_malformed", "the body is neither JSON nor XML with one Encrypt in base64 and no DTD")
    return (found[1] or found[2]).decode()


def _opened(key: bytes, text: str) -> tuple[bytes, bytes]:
    """Return the message that a ciphertext holds, and the id of its receiver. Raises Refusal."""
    plain = aes.opened(key, text, _BLOCK, key[: aes.BLOCK])[_RANDOM:]
    end = _LENGTH + int.from_bytes(plain[:_LENGTH], "big")
    if len(plain) < end:
        aes.refuse()
    return plain[_LENGTH:end], plain[end:]


def _echo(message: bytes) -> HttpAnswer:
    """Return the answer to a URL check. Raises Refusal for a message, which would else be decrypted for whoever sends it as a check."""
    if not _ECHOED.fullmatch(message):
        raise Refusal("body_malformed", f"what {_ECHO} holds is not a text of 1 to 256 characters to give back")
    return HttpAnswer(200, {"Content-Type": "text/plain; charset=utf-8"}, message)


def _told(message: bytes) -> tuple[str, Mapping[str, str]]:
    """Return a message's media type and the texts of its fields. Raises Refusal."""
    if message.lstrip().startswith(b"{"):
        fields = json_object(message).items()
        return "application/json", {name: str(value) for name, value in fields if type(value) in (str, int)}
    return "application/xml", _fields(message)


def _id(fields: Mapping[str, str], message: bytes) -> str | None:
    """Return a message's MsgId, for an event its FromUserName, CreateTime and, since one user may do two things at once, a digest."""
    given = fields.get("MsgId") or fields.get("msgid")
    if given:
        return visible(given)
    user, time = fields.get("FromUserName"), fields.get("CreateTime")
    return visible(f"{user}-{time}-{hashlib.sha256(message).hexdigest()[:16]}") if user and time else None


class _NoDocumentType(TreeBuilder):
    def doctype(self, *_: str | None) -> None:
        """Refuse before anything is declared: what entities stand for, or where they are fetched from."""
        raise Refusal("body_malformed", "the message has a DTD")


def _fields(message: bytes) -> dict[str, str]:
    """Return the texts of an XML message's fields, the children of its root that are there once. Raises Refusal."""
    # UTF-8 whatever the declaration says; a document type is refused in any encoding.
    parser = XMLParser(target=_NoDocumentType(), encoding="utf-8")  # noqa: S314  Document types are refused.
    try:
        parser.feed(message)
        root = parser.close()
    except ParseError as error:
        raise Refusal("body_malformed", f"the message is neither JSON nor XML: {str(error)!r:.100}") from None
    times = Counter(child.tag for child in root)
    return {child.tag: (child.text or "").strip() for child in root if times[child.tag] == 1}


SCHEME = WeCom
