"""A deployed function's parts, built when it is first invoked and kept as long as the platform keeps the process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from events import logs
from events.dispatch import Dispatcher
from events.settings import EventSettings
from events.sinks.stdout import Stdout
from events.triggers.http import HttpDoor
from events.triggers.serverless.batches import Batches
from events.triggers.serverless.routes import Routes
from events.triggers.serverless.settings import ServerlessSettings
from events.triggers.serverless.settling import Settling
from events.triggers.serverless.threads import Threads
from events.triggers.serverless.whole import Whole
from functions.cloud.client import Client
from functions.cloud.settings import CloudSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.sinks import Sink
    from events.triggers.hooks import HookDoor


@dataclass(frozen=True, slots=True)
class App:
    """What every trigger of a deployed function works with."""

    events: EventSettings
    own: ServerlessSettings
    client: Client
    dispatcher: Dispatcher
    threads: Threads
    batches: Batches
    whole: Whole
    routes: Routes

    @classmethod
    def make(
        cls,
        cloud: CloudSettings,
        events: EventSettings,
        own: ServerlessSettings,
        environ: Mapping[str, str],
        sink: Sink | None = None,
    ) -> App:
        """Build the parts; `environ` is where a senders file's secrets are. Raises ConfigurationError."""
        client = Client(cloud, environ=environ)
        dispatcher = Dispatcher(client, events, own.operation)
        settling = Settling(sink or Stdout(), own)
        threads = Threads(cloud.pool_size, own.margin_s)
        batches = Batches(dispatcher, settling, events, own, threads)
        hooks = _hooks(dispatcher, events, cloud, environ) if events.senders else None
        routes = Routes(HttpDoor(dispatcher, events), hooks, cloud, own.operation)
        return cls(events, own, client, dispatcher, threads, batches, Whole(batches, settling), routes)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> App:
        """Build the parts as the environment says, and begin to log.

        Raises ConfigurationError that names the variables which are missing or wrong.
        """
        logs.configure(people=False, environ=environ)
        cloud = CloudSettings.from_env(environ).require()
        return cls.make(cloud, EventSettings.from_env(environ), ServerlessSettings.from_env(environ), environ)


def _hooks(dispatcher: Dispatcher, events: EventSettings, cloud: CloudSettings, environ: Mapping[str, str]) -> HookDoor:
    # Imported here since few functions have senders, and every function's start would pay for it.
    from events.captures import Captures
    from events.deliveries import Deliveries
    from events.senders import kept
    from events.triggers.hooks import HookDoor

    senders = kept.read(str(_packaged(events.senders)), environ, cloud.may_use)
    captures = Captures(events.capture_dir) if events.capture_dir else None
    return HookDoor(dispatcher, events, senders, Deliveries.of(events), captures=captures)


def _packaged(name: str) -> Path:
    """Return a file's path; a relative one is in the folder that was deployed, whatever the working directory is."""
    return Path(__file__).resolve().parents[3] / name
