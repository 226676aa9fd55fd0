"""Senders of every scheme, requests signed by hand with any key, and doors that refuse and keep them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from events.captures import Captures
from events.deliveries import MEMORY, Deliveries
from events.dispatch import Dispatcher
from events.senders import Senders
from events.settings import EventSettings
from events.triggers.hooks import HookDoor
from events.triggers.http import HttpRequest
from functions.cloud.client import Client
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from pathlib import Path

    from events.problems import HttpAnswer

NOW = 1_750_000_000.0  # 2025-06-15T15:06:40Z
PAYLOAD = {"listener_id": "65093734fb966b3d70f6af26cc63e125"}
BODY = json.dumps(PAYLOAD, separators=(",", ":")).encode()
SPACED = json.dumps(PAYLOAD).encode()
# Obviously fake. Text secrets are hex, so that they can be read as bytes too.
KEYS = {name: hashlib.sha256(f"fake {name}".encode()).digest() for name in ("NEW", "OLD", "WRONG")}
SECRETS = {name: "whsec_" + base64.b64encode(key).decode() for name, key in KEYS.items()}
HEX = {name: key.hex()[:32] for name, key in KEYS.items()}
TOKENS = {name: f"fake-token-{name.lower()}-that-can-do-no-better" for name in KEYS}
AES = {name: f"Fake{name}EncodingAESKeyFakeEncodingAESKeyFakeEncod"[:43] for name in KEYS}
ENVIRON = {
    **{f"STANDARD_{name}": text for name, text in SECRETS.items()},
    **{f"TEXT_{name}": text for name, text in HEX.items()},
    **{f"TOKEN_{name}": text for name, text in TOKENS.items()},
    **{f"AES_{name}": text for name, text in AES.items()},
    **{f"WECOM_{name}": f"Fake{name}Token" for name in KEYS},
}
KNOWN = [*ENVIRON.values()]
TOPIC = "urn:smn:cn-north-4:0605767a3300d5762fb7c0186d9e1779:alarms"
ENDED = "2025-06-15T15:06:39Z"  # One second before NOW.


def entry(name: str, scheme: str, *secrets: str, more: str = "") -> str:
    until = ["", f", until = {ENDED}"]
    each = ", ".join(f"{{ {secret}{until[index]} }}" for index, secret in enumerate(secrets))
    written = f"secrets = [{each}]\n" if secrets else ""
    return f'[senders.{name}]\nscheme = "{scheme}"\n{written}operations = ["elb.list_members"]\n{more}\n'


def both(kind: str) -> tuple[str, str]:
    return f'env = "{kind}_NEW"', f'env = "{kind}_OLD"'


PARTS = {
    name: (f'encrypt_key = {{ env = "TEXT_{name}" }}, token = {{ env = "TOKEN_{name}" }}') for name in ("NEW", "OLD")
}
SEALED = {name: (f'token = {{ env = "WECOM_{name}" }}, aes_key = {{ env = "AES_{name}" }}') for name in ("NEW", "OLD")}
SENDERS = "\n".join(
    (
        entry("standard", "standard", *both("STANDARD")),
        entry("github", "github", *both("TEXT")),
        entry("slack", "slack", *both("TEXT")),
        entry("dingtalk", "dingtalk", *both("TEXT")),
        entry("bearer", "bearer", *both("TOKEN")),
        entry("header", "bearer", *both("TOKEN"), more='header = "X-Gitlab-Token"'),
        entry("feishu", "feishu", *PARTS.values()),
        entry("weak", "feishu", 'token = { env = "TOKEN_NEW" }', 'token = { env = "TOKEN_OLD" }'),
        entry("wecom", "wecom", *SEALED.values(), more='receive_id = ""'),
        entry("smn", "smn", more=f'topics = ["{TOPIC}"]\npayload = "/x"'),
        entry("secure", "standard", *both("STANDARD"), more="https = true"),
        entry("other", "standard", 'env = "STANDARD_WRONG"'),
    )
)


@dataclass(frozen=True)
class Sent:
    """A request as it is sent; `secret` and what it is of are said by the function that made it."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    query: dict[str, list[str]] = field(default_factory=dict)

    def put(self, **headers: str | None) -> Sent:
        """Return it with headers changed, `_` for `-`; None takes one away."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        kept = {name: value for name, value in {**self.headers, **changed}.items() if value is not None}
        return replace(self, headers=kept)

    def renamed(self, old: str, new: str) -> Sent:
        return replace(self, headers={new if name == old else name: value for name, value in self.headers.items()})

    def request(self, *, https: bool = True) -> HttpRequest:
        return HttpRequest(
            {**self.headers, "content-type": "application/json"}, self.body, query=self.query, https=https
        )


def mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def standard(body: bytes = BODY, key: bytes = KEYS["NEW"], at: float = NOW, its_id: str = "msg_1") -> Sent:
    signature = base64.b64encode(mac(key, f"{its_id}.{at:.0f}.".encode() + body)).decode()
    named = {"webhook-id": its_id, "webhook-timestamp": f"{at:.0f}", "webhook-signature": f"v1,{signature}"}
    return Sent(body, named)


def github(body: bytes = BODY, key: bytes = HEX["NEW"].encode(), at: float = NOW, its_id: str = "msg_1") -> Sent:
    return Sent(body, {"x-hub-signature-256": f"sha256={mac(key, body).hex()}", "x-github-delivery": its_id})


def slack(body: bytes = BODY, key: bytes = HEX["NEW"].encode(), at: float = NOW, its_id: str = "") -> Sent:
    signature = mac(key, f"v0:{at:.0f}:".encode() + body).hex()
    return Sent(body, {"x-slack-request-timestamp": f"{at:.0f}", "x-slack-signature": f"v0={signature}"})


def dingtalk(body: bytes = BODY, key: bytes = HEX["NEW"].encode(), at: float = NOW, its_id: str = "") -> Sent:
    time = f"{at * 1000:.0f}"
    sign = base64.b64encode(mac(key, time.encode() + b"\n" + key)).decode()
    return Sent(body, {"timestamp": time, "sign": sign})


def bearer(body: bytes = BODY, key: bytes = TOKENS["NEW"].encode(), at: float = NOW, its_id: str = "msg_1") -> Sent:
    return Sent(body, {"authorization": f"Bearer {key.decode()}", "idempotency-key": its_id})


def feishu(body: bytes = BODY, key: bytes = HEX["NEW"].encode(), at: float = NOW, its_id: str = "") -> Sent:
    """Return an event that is signed but not encrypted."""
    digest = hashlib.sha256(f"{at:.0f}12ab".encode() + key + body).hexdigest()
    named = {"x-lark-request-timestamp": f"{at:.0f}", "x-lark-request-nonce": "12ab", "x-lark-signature": digest}
    return Sent(body, named)


def sealed_feishu(body: bytes, key: str = HEX["NEW"], at: float = NOW) -> Sent:
    encryptor = Cipher(
        algorithms.AES(hashlib.sha256(key.encode()).digest()), modes.CBC(b"0123456789abcdef")
    ).encryptor()
    count = 16 - len(body) % 16
    raw = b"0123456789abcdef" + encryptor.update(body + bytes([count]) * count) + encryptor.finalize()
    return feishu(json.dumps({"encrypt": base64.b64encode(raw).decode()}).encode(), key.encode(), at)


def wecom(
    body: bytes = BODY, key: bytes = b"FakeNEWToken", at: float = NOW, its_id: str = "", aes: str = AES["NEW"]
) -> Sent:
    """Return a bot's message; `key` is the token."""
    raw = base64.b64decode(aes + "=")
    plain = b"16 random bytes!" + len(body).to_bytes(4, "big") + body
    count = 32 - len(plain) % 32
    encryptor = Cipher(algorithms.AES(raw), modes.CBC(raw[:16])).encryptor()
    text = base64.b64encode(encryptor.update(plain + bytes([count]) * count) + encryptor.finalize()).decode()
    time = f"{at:.0f}"
    signature = hashlib.sha1("".join(sorted((key.decode(), time, "12ab", text))).encode()).hexdigest()
    query = {"msg_signature": [signature], "timestamp": [time], "nonce": ["12ab"]}
    return Sent(json.dumps({"encrypt": text}).encode(), {}, query)


SIGNERS = {each.__name__: each for each in (standard, github, slack, dingtalk, feishu, wecom, bearer)}
# The keys that are right, older, and nobody's, as bytes that sign.
OWN: dict[str, dict[str, bytes]] = {
    "standard": KEYS,
    "wecom": {name: f"Fake{name}Token".encode() for name in KEYS},
    "bearer": {name: text.encode() for name, text in TOKENS.items()},
    **{scheme: {name: text.encode() for name, text in HEX.items()} for scheme in ("github", "slack", "dingtalk", "feishu")},
}  # fmt: skip


def senders_file(folder: Path, text: str = SENDERS) -> str:
    file = folder / "senders.toml"
    file.write_text(text)
    return str(file)


def senders(folder: Path, text: str = SENDERS) -> Senders:
    return Senders.read(senders_file(folder, text), ENVIRON, allowed=lambda _: True, now=NOW)


class Doors:
    """The doors of all these senders on a clock that stands, keeping what they refuse in `folder`."""

    def __init__(self, folder: Path, state: str = MEMORY) -> None:
        self.captures = folder / "captures"
        client = Client(CloudSettings.from_env({"HONGYAN_EMULATOR": "local"}))
        self.door = HookDoor(
            Dispatcher(client, EventSettings()),
            EventSettings(),
            senders(folder),
            Deliveries(state),
            captures=Captures(str(self.captures)),
            clock=lambda: NOW,
        )

    def send(self, name: str, sent: Sent, *, https: bool = True) -> HttpAnswer:
        return self.door.answer(name, sent.request(https=https), lambda: sent.body)

    def refused(self, name: str, sent: Sent, *, https: bool = True) -> Path:
        """Send what must be refused; return the file that it is kept in."""
        before = set(self.captures.glob("*"))
        answer = self.send(name, sent, https=https)
        assert answer.status in (401, 403), (answer.status, answer.body)
        [file] = set(self.captures.glob("*")) - before
        return file
