"""Private servers of Redis and RabbitMQ that tests start, stop and kill, each with its data in a folder of its own."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

# Seconds: RabbitMQ takes 7 to start on an idle machine with two cores.
_START_S, _STOP_S = 90.0, 30.0
# Debian's command of this name changes the user and the folder; the one behind it runs as whoever calls it.
_RABBITMQ = "/usr/lib/rabbitmq/bin"

S = TypeVar("S", bound="Private")


@contextmanager
def running(server: S) -> Iterator[S]:
    """Start a server, and end it in the end, whatever happens."""
    try:
        server.start()
        yield server
    finally:
        server.close()


class Private:
    """A server on a port of loopback that nobody else uses. It is started and ended by this object alone (see `running`)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it with the data that it had, and return when it takes connections."""
        with (self.folder / "output").open("ab") as output:
            self._process = subprocess.Popen(
                self._command(), env=self._environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        end = time.monotonic() + _START_S
        while not answers(self.port):
            if self._process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"it does not start; {self.folder / 'output'} says why")
            time.sleep(0.05)

    def stop(self) -> None:
        """Have it end as it should."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Have it end as in a power failure."""
        self._end(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start it."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End it; the folder is left to whoever made it."""
        self.kill()

    def _command(self) -> Sequence[str]:
        raise NotImplementedError

    def _environment(self) -> dict[str, str]:
        return dict(os.environ)

    def _end(self, sign: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(sign)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class PrivateRedis(Private):
    """A Redis server that writes each command to its file at once."""

    @staticmethod
    def found() -> bool:
        """Tell whether there is one on this machine."""
        return shutil.which("redis-server") is not None

    @property
    def url(self) -> str:
        """Its URL, for HONGYAN_QUEUE."""
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> Sequence[str]:
        said = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self.folder,
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
        }
        return ["redis-server", *(word for name, value in said.items() for word in (f"--{name}", str(value)))]


class PrivateRabbit(Private):
    """A node of RabbitMQ of its own, with its own epmd, cookie and data; nothing of it meets another node of this machine."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._node = f"hongyan_{secrets.token_hex(4)}@localhost"
        self._epmd_port, self._between_port = free_port(), free_port()
        self._epmd: subprocess.Popen[bytes] | None = None
        (folder / "enabled_plugins").write_text("[].\n")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self.port}\nlog.file.level = warning\nraft.wal_max_size_bytes = 16777216\n"
        )

    @staticmethod
    def found() -> bool:
        """Tell whether there is one on this machine."""
        return _rabbitmq() is not None

    @property
    def url(self) -> str:
        """Its URL, for HONGYAN_QUEUE."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def start(self) -> None:
        if self._epmd is None:
            self._epmd = subprocess.Popen(
                ["epmd", "-port", str(self._epmd_port), "-address", "127.0.0.1"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        super().start()

    def close(self) -> None:
        super().close()
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()
            self._epmd = None

    def evaluate(self, text: str) -> None:
        """Have the node evaluate an expression of Erlang."""
        command = [f"{_RABBITMQ}/rabbitmqctl", "--node", self._node, "eval", f"{text}."]
        subprocess.run(command, env=self._environment(), capture_output=True, check=True)

    def _command(self) -> Sequence[str]:
        found = _rabbitmq()
        if found is None:
            raise RuntimeError("there is no rabbitmq-server on this machine")
        return [found]

    def _environment(self) -> dict[str, str]:
        own = {
            "HOME": self.folder,  # Where Erlang's cookie is.
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": self._epmd_port,
            "RABBITMQ_CONFIG_FILE": self.folder / "rabbitmq.conf",
            "RABBITMQ_CONF_ENV_FILE": self.folder / "none",
            "RABBITMQ_DIST_PORT": self._between_port,
            "RABBITMQ_ENABLED_PLUGINS_FILE": self.folder / "enabled_plugins",
            "RABBITMQ_LOG_BASE": self.folder / "log",
            "RABBITMQ_MNESIA_BASE": self.folder / "data",
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_PID_FILE": self.folder / "pid",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 -kernel inet_dist_use_interface {127,0,0,1}",
            "RUNNING_UNDER_SYSTEMD": "1",  # The script becomes the server, so that the process is the server's.
        }
        return {**os.environ, **{name: str(value) for name, value in own.items()}}


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answers(port: int) -> bool:
    """Tell whether somebody listens on a port of loopback."""
    with socket.socket() as one:
        one.settimeout(1.0)
        return one.connect_ex(("127.0.0.1", port)) == 0


def _rabbitmq() -> str | None:
    return shutil.which("rabbitmq-server", path=os.pathsep.join((_RABBITMQ, os.environ.get("PATH", ""))))
