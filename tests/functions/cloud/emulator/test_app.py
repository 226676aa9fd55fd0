import subprocess
import sys

import pytest

from functions.cloud.emulator.app import create_app
from functions.cloud.emulator.core import Emulator, Request, Response
from tests.functions.cloud.emulator.support import ELB_MEMBERS, emulator, token


class Recorder(Emulator):
    """Keeps what reached the core."""

    seen: Request

    def handle(self, request: Request, **_: object) -> Response:
        self.seen = request
        return Response(200, {}, b"")


@pytest.mark.parametrize("path", ["/", "//a//b", "/a%2Fb/%E9%B8%BF?x=%20&y", "/static/x", "/a/../b", "/a/"])
@pytest.mark.parametrize("method", ["GET", "POST", "PURGE"])
def test_every_path_and_method_reaches_the_core_as_it_came(path: str, method: str) -> None:
    cloud = Recorder()
    environ = {"REQUEST_URI": path, "RAW_URI": path}
    answer = create_app(cloud).test_client().open("/", method=method, environ_overrides=environ, data=b"\xff")
    assert (cloud.seen.method, cloud.seen.target, cloud.seen.body) == (method, path, b"\xff")
    assert answer.status_code == 200
    assert "Content-Type" not in answer.headers


def test_other_servers_name_the_raw_path_otherwise() -> None:
    cloud = Recorder()
    create_app(cloud).test_client().get("/", environ_overrides={"REQUEST_URI": "", "RAW_URI": "/a%2Fb"})
    assert cloud.seen.target == "/a%2Fb"


def test_an_absolute_target_is_cut_to_its_path() -> None:
    cloud = Recorder()
    client = create_app(cloud).test_client()
    client.get("/", environ_overrides={"REQUEST_URI": "http://cloud.test/a?b=c://d"})
    assert cloud.seen.target == "/a?b=c://d"
    client.get("/", environ_overrides={"REQUEST_URI": "/a?b=http://d/e"})
    assert cloud.seen.target == "/a?b=http://d/e"


def test_the_answer_is_the_cores() -> None:
    cloud = emulator()
    answer = create_app(cloud).test_client().get(ELB_MEMBERS, headers={"X-Auth-Token": token(cloud)})
    assert (answer.status_code, len(answer.get_json())) == (200, 2)
    assert answer.headers["X-Request-Id"] == cloud.journal[-1].request_id


def test_without_an_emulator_it_makes_its_own() -> None:
    assert create_app().test_client().get("/_emulator/requests").get_json() == {"requests": []}


@pytest.mark.parametrize("kind", ["drop", "truncate"])
def test_without_a_socket_a_cut_connection_is_an_error_of_the_server(kind: str) -> None:
    cloud = emulator()
    cloud.faults.add(kind=kind)
    with pytest.raises(ConnectionAbortedError, match=kind):
        create_app(cloud).test_client().get(ELB_MEMBERS).get_data()


@pytest.mark.parametrize("module", ["core", "adapter"])
def test_the_core_and_the_adapter_start_without_flask(module: str) -> None:
    program = (
        f"import sys, functions.cloud.emulator.{module}; sys.exit('flask' in sys.modules or 'werkzeug' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
