"""Both doors of the emulator behind one face, for tests that must see no difference between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from functions.cloud.emulator.adapter import EmulatorAdapter
from functions.cloud.emulator.core import Emulator
from functions.cloud.emulator.server import serving
from tests.functions.cloud.emulator.support import token


@dataclass
class Door:
    """A session that reaches the emulator, with a token."""

    emulator: Emulator
    session: requests.Session
    address: str

    def request(self, method: str, path: str, **given: Any) -> requests.Response:
        return self.session.request(method, self.address + path, **{"timeout": 5, **given})


@contextmanager
def opened(kind: str, emulator: Emulator) -> Iterator[Door]:
    with requests.Session() as session:
        session.trust_env = False
        session.headers["X-Auth-Token"] = token(emulator)
        if kind == "in process":
            session.mount("http://", EmulatorAdapter(emulator))
            yield Door(emulator, session, "http://cloud.test")
        else:
            with serving(emulator) as address:
                yield Door(emulator, session, address)
