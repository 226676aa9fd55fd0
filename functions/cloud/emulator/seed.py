"""What a new emulator holds, the examples of the API pages, and its options, for the core and the tests."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any

Seed = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """What the API pages leave open.

    `marker_inclusive`: an ELB page starts with the marker's member; otherwise with the one after it.
    `page_resource_id`: CSBS answers with the unrelated resource id of its page's example; otherwise with the one asked.
    """

    marker_inclusive: bool = False
    page_resource_id: bool = False


def default_seed() -> Seed:
    """Read a fresh copy of `seed.json`: free to change and to hand to an Emulator.

    Keys: `options` (fields of Options), `identity` (domain, region, projects, users, access keys), and one key for each
    service with what it holds.
    """
    text = resources.files("functions.cloud.emulator").joinpath("seed.json").read_text(encoding="utf-8")
    seed: Seed = json.loads(text)
    return seed
