"""How many examples property tests try: HYPOTHESIS_PROFILE=fast has a quarter (see also `events/signatures/contract.py`)."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("fast", max_examples=25)
if os.environ.get("HYPOTHESIS_PROFILE") == "fast":
    settings.load_profile("fast")
