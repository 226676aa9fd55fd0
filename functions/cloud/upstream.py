"""What one call asked of the cloud: facts for its result event and the log."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Upstream:
    """What one call asked of the cloud: facts for the result event. `attempts` counts every try of every one of the `requests`."""

    service: str = ""
    method: str = ""
    status: int | None = None
    request_id: str | None = None
    attempts: int = 0
    requests: int = 0
    started: float = field(default_factory=time.monotonic)
