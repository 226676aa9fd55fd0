from __future__ import annotations

import pytest

from events.loopback import is_own_machine


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_is_its_own(host: str) -> None:
    assert is_own_machine(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "", "192.168.0.1", "localhost.example.com", "example.com", "unix:///tmp/socket", "/tmp/socket",
     "unix://localhost", "127.0.0.1/x", "x@127.0.0.1", "::1]@[2001:db8::1", 3, None, "::ffff:0.0.0.0", "bad]"],
)  # fmt: skip
def test_everything_else_is_not(host: object) -> None:
    assert not is_own_machine(host)
