"""Settings of gunicorn in production: `gunicorn -c events/gunicorn_conf.py 'events.triggers.webhook:create_app()'`.

HONGYAN_BIND (127.0.0.1:8000) is where it listens, WEB_CONCURRENCY (2) how many processes it has. Beyond this machine it listens only when
HONGYAN_SENDERS tells who may send. `.flaskenv` is not read here: the emulator must be chosen by an exported variable.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from events.deliveries import Deliveries
from events.logs import configure
from events.loopback import REASON, is_own_machine
from events.metrics import audience, processes
from events.senders import kept
from events.settings import EventSettings
from events.triggers import later
from functions.cloud.errors import ConfigurationError
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

# gunicorn reads this module's names once, at its start.
bind = os.environ.get("HONGYAN_BIND", "").strip() or "127.0.0.1:8000"
_WORKERS = os.environ.get("WEB_CONCURRENCY", "").strip() or "2"
# A value that cannot be is told by on_starting, in one line; gunicorn itself would start with 0 workers.
workers = int(_WORKERS) if _WORKERS.isascii() and _WORKERS.isdigit() and len(_WORKERS) < 4 else 0
MOST_WORKERS = 256
worker_class = "events.gunicorn_worker.HookWorker"  # gthread, and what is said there
threads = 16
# Seconds without a sign of life after which a process is replaced; a thread that waits for the cloud is no such silence.
timeout = 30
# Seconds that calls under way are given at a stop: more than HONGYAN_DEADLINE_S, which is 15 unless it is set.
graceful_timeout = 30
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
# No proxy is trusted to say who sent a request or by which scheme, and no header becomes a variable of the server.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
accesslog = None  # Every call has its own log line.
errorlog = "-"
proc_name = "hongyan"
# Nothing listens that was not asked for: newer versions of gunicorn open a control socket in the home directory.
control_socket_disable = True


def on_starting(server: Any) -> None:
    """Configure logs, and refuse to start with incomplete settings, or where anybody could send and nobody is told apart.

    Nothing listens yet. Raises RuntimeError, which gunicorn writes as one line; it then exits with 1.
    """
    if not 1 <= workers <= MOST_WORKERS:
        raise RuntimeError(f"WEB_CONCURRENCY must be a whole number from 1 to {MOST_WORKERS}")
    try:
        cloud, events = CloudSettings.from_env(os.environ).require(), EventSettings.from_env(os.environ)
        if events.senders:
            kept.read(events.senders, os.environ, cloud.may_use)
            _share_memory(events)
        else:
            _refuse(server.cfg.address)
        if events.queue:
            later.check(events.queue)
        configure(people=False)  # The processes that take requests are forked from this one, and inherit it.
        if audience(os.environ):
            _share_counts(server)
    except ConfigurationError as error:
        raise RuntimeError(error.message) from None


def on_reload(server: Any) -> None:  # noqa: ARG001 - gunicorn's hook
    """Read the senders file anew (SIGHUP); with a mistake in it the senders stay what they were, and the log says why."""
    cloud, events = CloudSettings.from_env(os.environ), EventSettings.from_env(os.environ)
    if events.senders:
        kept.read(events.senders, os.environ, cloud.may_use)


def when_ready(server: Any) -> None:
    """Refuse sockets that were handed over already open (systemd's LISTEN_FDS) when they are not this machine's own."""
    if not EventSettings.from_env(os.environ).senders:
        _refuse(listener.sock.getsockname() for listener in server.LISTENERS)


def on_exit(server: Any) -> None:  # noqa: ARG001 - gunicorn's hook
    """Remove what `on_starting` made."""
    folder = Path(os.environ.get("HONGYAN_STATE_FILE", "")).parent
    if folder.name.startswith(_OURS) and folder.parent == Path(tempfile.gettempdir()):
        shutil.rmtree(folder, ignore_errors=True)
    processes.remove(os.environ)


_OURS = "hongyan-deliveries-"


def _share_memory(events: EventSettings) -> None:
    """Let the processes of this server know of each other's deliveries: a replay must not find another one. Raises ConfigurationError."""
    if not events.state_file:
        # For as long as the server runs. In the environment, because this module is executed anew at a reload.
        os.environ["HONGYAN_STATE_FILE"] = str(Path(tempfile.mkdtemp(prefix=_OURS), "deliveries.sqlite"))
    # Made once, here: processes that all make it at the same moment get into each other's way.
    Deliveries.of(EventSettings.from_env(os.environ)).close()


def _share_counts(server: Any) -> None:
    """Let whichever process is asked tell what all of them have counted. Raises ConfigurationError."""
    if server.cfg.preload_app:
        raise ConfigurationError(
            "HONGYAN_METRICS does not go with --preload: what several processes count is not shared"
        )
    processes.share(os.environ, server.cfg.uid, server.cfg.gid)


def _refuse(addresses: Iterable[Any]) -> None:
    """Look at addresses: (host, port, …), the path of a socket or its descriptor."""
    for address in addresses:
        if not (isinstance(address, tuple) and is_own_machine(address[0])):
            shown = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else address
            raise RuntimeError(f"{shown} is refused: {REASON}. HONGYAN_BIND must be like 127.0.0.1:8000.")
