"""The API as an OpenAPI 3.1 document, made of the registries and the schemas, for /openapi.json and whoever generates clients."""

from __future__ import annotations

from functools import lru_cache
from typing import Any


@lru_cache(maxsize=8)
def openapi(
    *,
    operations: bool = True,
    hooks: bool = False,
    prefix: str = "hongyan",
    body_limit: int = 1_048_576,
    queue: bool = False,
    metrics: str = "",
) -> dict[str, Any]:
    """Return the document (OpenAPI 3.1.0), the same for the same arguments; it is shared, so do not change it.

    `operations`: the doors of this machine are open (/functions and /events). `hooks`: those of senders are (/hooks). `prefix`: the first
    part of event types. `body_limit`: bytes of a body. `queue`: there is one, for what is stored for later. `metrics`: who may read
    what is counted (`local`, `any`), "" when nothing is.
    """
    # Not before it is asked for: it needs apispec and every function.
    from events.openapi.document import document

    return document(prefix, body_limit, local=operations, senders=hooks, queue=queue, metrics=metrics)
