"""Sample payloads, one file for each operation, for the command line, the demo and the tests.

They are the examples of the API pages with ids that a fresh emulator knows, so that each of them succeeds there.
"""

from __future__ import annotations

from importlib import resources


class NoSample(LookupError):
    """There is no sample of this operation; the text names those that have one."""


def sample(operation: str) -> bytes:
    """Return the sample payload of an operation (`elb.list_members`) as JSON in UTF-8. Raises NoSample."""
    found = {file.name: file for file in resources.files("events.samples").iterdir() if file.name.endswith(".json")}
    file = found.get(f"{operation}.json")
    if file is None:
        known = ", ".join(name.removesuffix(".json") for name in sorted(found))
        raise NoSample(f"there is no sample of {operation[:100]}; there are samples of {known}")
    return file.read_bytes()
