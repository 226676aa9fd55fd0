import socket

import pytest
import requests

from functions.cloud.emulator.server import serving
from tests.functions.cloud.emulator.support import ELB_MEMBERS, emulator, token


def test_it_serves_quietly_and_is_gone_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    cloud = emulator()
    with serving(cloud) as address, requests.Session() as session:
        assert address.startswith("http://127.0.0.1:")
        answer = session.get(address + ELB_MEMBERS, headers={"X-Auth-Token": token(cloud)}, timeout=5)
        assert answer.status_code == 200
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(address, timeout=5)
    assert capfd.readouterr() == ("", "")


def test_two_servers_are_two_clouds() -> None:
    one, two = emulator(), emulator()
    with serving(one) as first, serving(two) as second:
        assert first != second
        requests.get(first + ELB_MEMBERS, timeout=5)
    assert (len(one.journal), len(two.journal)) == (1, 0)


def test_a_taken_port_is_an_error_to_catch() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), serving(emulator(), port):
            pass


def test_a_port_can_be_chosen_again_at_once() -> None:
    with serving(emulator()) as address:
        port = int(address.rpartition(":")[2])
        requests.get(address, timeout=5)
    with serving(emulator(), port) as again:
        assert again == address


def test_bytes_arrive_as_they_are_on_the_wire() -> None:
    cloud = emulator()
    with serving(cloud) as address:
        host, port = address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=5) as wire:
            wire.sendall(
                b"POST /a%2Fb//c?x=%20+ HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
            )
            answer = b"".join(iter(lambda: wire.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 501 ")
    assert (cloud.journal[0].path, cloud.journal[0].query) == ("/a%2Fb//c", "x=%20+")
