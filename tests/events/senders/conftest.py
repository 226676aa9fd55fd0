"""The schemes of the senders file's tests are fakes, but for those that say otherwise."""

from __future__ import annotations

import pytest

from events.signatures import registry
from tests.events.senders.support import FAKES


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "names", lambda: sorted(FAKES))
    monkeypatch.setattr(registry, "find", FAKES.get)
