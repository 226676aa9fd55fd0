"""The http sinks of HONGYAN_SINKS: a receiver's URL, and in its fragment, which is never sent, how events are posted to it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urldefrag, urlsplit

from events.signatures import BadSecret
from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.sinks.http import Http, Mode

TIMEOUT_S = 10.0
"""Seconds that one try may take, unless the URL says `timeout_s`."""
LEAST_TIMEOUT_S, MOST_TIMEOUT_S = 0.1, 120
_OPTIONS = ("mode", "secret", "timeout_s")
_MODES: dict[str, Mode] = {"structured": "structured", "binary": "binary"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_PREFIXES = ("whsec_", "whsk_", "whpk_")


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver as the settings have it: `url` without its fragment (it may hold a password), and the secrets that sign."""

    label: str
    url: str = field(repr=False)
    mode: Mode
    secrets: tuple[str, ...] = field(repr=False)
    timeout_s: float

    @classmethod
    def read(cls, text: str, label: str, environ: Mapping[str, str]) -> Receiver:
        """Read `https://host/path?query#mode=binary&secret=NAME_OF_A_VARIABLE&timeout_s=10`; `label` begins every message.

        Raises ConfigurationError.
        """
        url, fragment = urldefrag(text)
        try:
            parts = urlsplit(url)
            named = parts.hostname and parts.port != 0
        except ValueError:
            named = False
        if not named:
            raise ConfigurationError(f"{label} must name a host, and a port if any: https://host:443/path")
        options = _options(fragment, label)
        mode = _MODES.get(options.get("mode", "structured"))
        if mode is None:
            raise ConfigurationError(f"{label}: mode must be {' or '.join(_MODES)}")
        secrets = _secrets(options["secret"], label, environ) if "secret" in options else ()
        return cls(label, url, mode, secrets, _timeout(options.get("timeout_s", ""), label))

    def sink(self, environ: Mapping[str, str], threads: int) -> Http:
        """Make the sink; `threads`: how many post at once. Raises ConfigurationError."""
        # Here, since requests is a large import for who has no such sink.
        from events.sinks.http import Http
        from events.sinks.signing import Signer

        try:
            signer = Signer(self.secrets) if self.secrets else None
            return Http(self.url, environ, mode=self.mode, signer=signer, timeout_s=self.timeout_s, threads=threads)
        except BadSecret as error:  # The cryptography package is missing, or the secret is none.
            raise ConfigurationError(f"{self.label}: secret: {error}") from None
        except ConfigurationError as error:
            raise ConfigurationError(f"{self.label}: {error}") from None


def _options(fragment: str, label: str) -> dict[str, str]:
    pairs = parse_qsl(fragment, keep_blank_values=True)
    options = dict(pairs)
    if len(options) != len(pairs) or not options.keys() <= set(_OPTIONS):
        raise ConfigurationError(
            f"{label}: after the # of a URL may stand {', '.join(_OPTIONS)}, each once, joined by &"
        )
    return options


def _secrets(name: str, label: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the secrets, separated by blanks, that a variable holds; what is no name may be a secret and is not repeated."""
    if not _NAME.fullmatch(name) or name.startswith(_PREFIXES):
        raise ConfigurationError(f"{label}: secret must name the environment variable that holds the secret")
    secrets = tuple(environ.get(name, "").split())
    if not secrets:
        shown = name if name.isupper() else "that secret names"
        raise ConfigurationError(
            f"{label}: the variable {shown} is not set; it must hold a secret, whsec_... or whsk_..."
        )
    return secrets


def _timeout(text: str, label: str) -> float:
    if not text:
        return TIMEOUT_S
    number = float(text) if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3})?", text) else math.nan
    if not LEAST_TIMEOUT_S <= number <= MOST_TIMEOUT_S:
        raise ConfigurationError(
            f"{label}: timeout_s must be a number of seconds from {LEAST_TIMEOUT_S} to {MOST_TIMEOUT_S}"
        )
    return number
