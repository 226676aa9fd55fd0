"""The folder that a server's processes share: whose it is, what is kept and what removed, and what a full disk does."""

from __future__ import annotations

import errno
import logging
import os
import stat
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# Before any test sets the variable: the library looks at it once, when it is imported.
import prometheus_client
import pytest

from events import gunicorn_conf, logs
from events.metrics import Metrics, metrics_from_env, processes
from events.metrics.processes import VARIABLE, Unwritable, folder, remove, share
from functions.cloud.errors import ConfigurationError

assert prometheus_client.__name__ in sys.modules
ME = (os.geteuid(), os.getegid())
SIZE = 65_536


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Set and deleted: whatever a test sets is taken back after it.
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.delenv(VARIABLE)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


def test_one_is_made_for_its_owner_only_and_removed() -> None:
    environ: dict[str, str] = {}
    share(environ, *ME)
    made = Path(environ[VARIABLE])
    assert made.parent == Path(tempfile.gettempdir())
    assert (stat.S_IMODE(made.stat().st_mode), made.stat().st_uid) == (0o700, ME[0])
    (made / "counter_1.db").write_bytes(b"")
    remove(environ)
    assert not made.exists()
    remove(environ)
    remove({})


def test_one_that_was_chosen_is_kept(tmp_path: Path) -> None:
    environ = {VARIABLE: str(tmp_path)}
    share(environ, *ME)
    assert environ == {VARIABLE: str(tmp_path)}
    remove(environ)
    assert tmp_path.exists()


def test_one_of_another_server_is_not_shared() -> None:
    theirs: dict[str, str] = {}
    share(theirs, *ME)
    mine = dict(theirs)  # As a server has it that another one started in its own place.
    share(mine, *ME)
    assert mine != theirs
    remove(mine)
    assert Path(theirs[VARIABLE]).exists()


@pytest.mark.parametrize("chosen", ["/nowhere", "/dev/null"])
def test_one_that_cannot_be_is_an_error_that_names_the_variable(chosen: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{VARIABLE} must be a folder that can be written to"):
        share({VARIABLE: chosen}, *ME)


# In each process


def test_a_process_alone_has_none() -> None:
    assert folder() == ""


def test_a_process_has_its_room_at_once_and_leaves_what_is_there_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    counters, histograms = (tmp_path / f"{kind}_{os.getpid()}.db" for kind in ("counter", "histogram"))
    counters.write_bytes(b"of one that had this id before")
    assert folder() == str(tmp_path)
    assert counters.read_bytes() == b"of one that had this id before"
    assert histograms.stat().st_size == SIZE
    assert histograms.stat().st_blocks * 512 >= SIZE
    assert sorted(tmp_path.glob("*_*")) == [counters, histograms]


def full(*_: Any) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_without_room_in_the_servers_own_folder_a_process_goes_on_uncounted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    share(os.environ, *ME)
    monkeypatch.setattr(Path, "write_bytes", full)
    with caplog.at_level(logging.ERROR, logs.LOGGER):
        found = metrics_from_env({"HONGYAN_METRICS": "local"})
    assert type(found) is Metrics
    assert [(record.message, record.__dict__["facts"]["detail"]) for record in caplog.records] == [
        ("metrics.unwritable", "No space left on device")
    ]
    assert not list(Path(os.environ[VARIABLE]).iterdir())


def test_the_servers_own_folder_is_not_made_anew_when_it_is_gone() -> None:
    share(os.environ, *ME)
    Path(os.environ[VARIABLE]).rmdir()
    with pytest.raises(Unwritable):
        folder()
    assert not Path(os.environ[VARIABLE]).exists()


@pytest.mark.parametrize("chosen", ["", "/nowhere"])
def test_a_chosen_folder_that_cannot_be_used_is_an_error(chosen: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, chosen)
    monkeypatch.setattr(processes, "_reserve", full)
    with pytest.raises(ConfigurationError, match=VARIABLE):
        metrics_from_env({"HONGYAN_METRICS": "local"})


# gunicorn's hooks


def server(*, preload: bool = False) -> SimpleNamespace:
    cfg = SimpleNamespace(address=[("127.0.0.1", 8000)], preload_app=preload, uid=ME[0], gid=ME[1])
    return SimpleNamespace(cfg=cfg)


@pytest.fixture
def _emulated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_EMULATOR", "local")
    monkeypatch.setenv("HONGYAN_METRICS", "local")
    monkeypatch.setattr(gunicorn_conf, "configure", lambda *, people: None)


@pytest.mark.usefixtures("_emulated")
def test_gunicorn_makes_the_folder_and_removes_it() -> None:
    gunicorn_conf.on_starting(server())
    assert Path(os.environ[VARIABLE]).is_dir()
    gunicorn_conf.on_exit(None)
    assert not Path(os.environ[VARIABLE]).exists()


@pytest.mark.usefixtures("_emulated")
@pytest.mark.parametrize("value", ["", "off"])
def test_gunicorn_makes_none_where_nothing_is_counted(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HONGYAN_METRICS", value)
    gunicorn_conf.on_starting(server())
    assert VARIABLE not in os.environ
    gunicorn_conf.on_exit(None)


@pytest.mark.usefixtures("_emulated")
def test_gunicorn_refuses_a_wrong_value_and_a_way_of_starting_that_counts_wrongly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(RuntimeError, match="HONGYAN_METRICS does not go with --preload"):
        gunicorn_conf.on_starting(server(preload=True))
    monkeypatch.setenv("HONGYAN_METRICS", "yes")
    with pytest.raises(RuntimeError, match="HONGYAN_METRICS must be"):
        gunicorn_conf.on_starting(server())
    assert not list(Path(tempfile.gettempdir()).iterdir())
