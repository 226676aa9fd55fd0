"""What the doors for probes say: alive, and ready when the settings are complete; for the web server and behind gateways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from functions.cloud.settings import CloudSettings

LIVE = {"status": "live"}
"""What is said as long as somebody answers at all."""


def ready(cloud: CloudSettings) -> tuple[int, dict[str, Any]]:
    """Return the HTTP status and the body that tell whether calls can be made, and which settings are missing."""
    missing = cloud.missing()
    body = {
        "status": "not ready" if missing else "ready",
        "cloud": "emulator" if cloud.emulator else cloud.region,
        "missing": missing,
    }
    return 503 if missing else 200, body
