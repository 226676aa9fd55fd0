"""One Redis server: connected to with timeouts, asked by commands and scripts, its errors told as ours; for the queue and the store."""

from __future__ import annotations

import contextlib
import hashlib
import re
import time
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from functions.cloud.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from urllib.parse import SplitResult

OPTIONS = ("ssl_ca_certs",)
"""What a URL may say beside host and database: the file of certificates that a rediss:// server's is checked with."""
ANSWER_S = 5.0
"""Seconds after which a server that does not answer, or cannot be connected to, is away; no command may block for as long."""

# Seconds without a word after which a connection is tried before it is used.
_QUIET_S = 30
# Seconds after which it is looked whether the server has ended it.
_FRESH_S = 0.5
# What passes by itself, or by the hand of whoever runs the server; the rest is wrong for good.
_PASSING = (
    redis.ConnectionError,
    redis.TimeoutError,
    redis.ReadOnlyError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.TryAgainError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.MasterDownError,
)
# The same in the errors that have no class, and in those that a script of Redis 6 wraps.
_PASSING_WORDS = re.compile(r"\b(OOM|READONLY|LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|BUSY)\b")
_NO_GROUP = re.compile(r"\b(NOGROUP|UNBLOCKED)\b")
_TOO_OLD = re.compile(r"unknown (redis )?command|syntax error", re.IGNORECASE)
_WHERE = re.compile(r"(, | )script: [0-9a-f]{40}, on .*")


class NoGroup(Exception):
    """The stream or its consumer group is not there, or not any more."""


class Script:
    """Lua that the server runs as one step: nothing comes between its commands, and it is done whole or not at all."""

    def __init__(self, text: str) -> None:
        self.text = text
        # What Redis itself calls a script; nothing secret hangs on it.
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


class RedisServer:
    """A server and up to `connections` connections to it, shared between threads; nothing is reached before it is used.

    Every method raises `unavailable` for what passes (a network, a full or read-only server), and `refused` for what does not.
    A command that got no answer is never sent again by itself: it may have been done.
    """

    def __init__(
        self,
        url: str,
        options: Mapping[str, str],
        unavailable: type[Exception],
        refused: type[Exception],
        *,
        connections: int,
        name: str = "",
    ) -> None:
        """Read the URL, but not its query. Raises ConfigurationError; `name` is what the server's list of clients calls the connections."""
        parts = split(url)
        if options and parts.scheme != "rediss":
            raise ConfigurationError(f"{', '.join(options)} needs rediss://, which is Redis over TLS")
        # For people and logs: no user, no password.
        self.shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._unavailable, self._refused = unavailable, refused
        made = redis.ConnectionPool.from_url(
            urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")),
            socket_timeout=ANSWER_S,
            socket_connect_timeout=ANSWER_S,
            socket_keepalive=True,
            health_check_interval=_QUIET_S,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
            client_name=name or None,
            **options,
            **({"ssl_check_hostname": True} if parts.scheme == "rediss" else {}),
        )
        # Without redis-py's client, which looks at its connection before each command and makes objects of the answer: that costs more than
        # all the rest. The last one used is used next; beside it stands when that was, or None for one that is not connected.
        self._free: LifoQueue[tuple[Any, float | None]] = LifoQueue()
        for _ in range(connections):
            self._free.put((made.make_connection(), None))
        self._connections = connections

    def command(self, *words: Any) -> Any:
        """Run a command and return its answer as RESP2 has it, text as bytes. Raises NoGroup, too."""
        with self._told():
            return self._asked(words)

    def run(self, script: Script, keys: Sequence[str], *values: Any) -> Any:
        """Run a script; one that the server does not know (any more) is sent to it. Raises NoGroup, too."""
        with self._told():
            try:
                return self._asked(("EVALSHA", script.sha, len(keys), *keys, *values))
            except redis.exceptions.NoScriptError:
                return self._asked(("EVAL", script.text, len(keys), *keys, *values))

    def reconnect(self) -> None:
        """Let go of all connections and make a new one."""
        self.close()
        self.command("PING")

    def close(self) -> None:
        """Let go of all connections that nobody is using."""
        free = []
        with contextlib.suppress(Empty):
            while True:
                free.append(self._free.get_nowait()[0])
        for connection in free:
            connection.disconnect()
            self._free.put((connection, None))

    def _asked(self, words: tuple[Any, ...]) -> Any:
        try:
            connection, used_at = self._free.get(timeout=ANSWER_S)
        except Empty:
            raise self._unavailable(f"{self.shown}: all {self._connections} connections are busy") from None
        at: float | None = None
        try:
            _mend(connection, used_at)
            connection.send_command(*words)
            answer = connection.read_response()
            at = time.monotonic()
        except redis.ResponseError:
            at = time.monotonic()
            raise
        except BaseException:
            # An answer that was not waited for would be taken for that of the next command.
            connection.disconnect()
            raise
        finally:
            self._free.put((connection, at))
        return answer

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except redis.AuthenticationError as error:
            raise self._refused(f"{self.shown}: {error}") from error
        except redis.RedisError as error:
            told = _WHERE.sub("", str(error))
            if _NO_GROUP.search(told):
                raise NoGroup(told) from error
            if isinstance(error, _PASSING) or _PASSING_WORDS.search(told):
                raise self._unavailable(f"{self.shown}: {told}") from error
            raise self._refused(f"{self.shown}: {told}{_hint(error)}") from error
        except UnicodeError as error:
            raise self._refused(f"{self.shown}: {error}") from error


def split(url: str) -> SplitResult:
    """Return the parts of a URL that redis-py reads as it is meant. Raises ConfigurationError, which repeats nothing of it."""
    try:
        parts = urlsplit(url.strip())
        good = parts.scheme in {"redis", "rediss"} and bool(parts.hostname) and parts.port != 0
        if good and re.fullmatch(r"(/[0-9]{0,5})?", parts.path):
            return parts
    except ValueError:
        pass
    raise ConfigurationError("the URL of a Redis server must be like redis://host:6379/0, its password percent-encoded")


def _hint(error: Exception) -> str:
    if isinstance(error, redis.exceptions.AskError):
        return " is another node of its cluster: a cluster is reached through its proxy"
    return "; Redis 6.2 or newer is needed" if _TOO_OLD.search(str(error)) else ""


def _mend(connection: Any, used_at: float | None) -> None:
    """Let go of a connection that the server has ended meanwhile: a command sent on it might or might not be done."""
    if used_at is None or time.monotonic() - used_at < _FRESH_S:
        return
    try:
        ended = connection.can_read()
    except (redis.ConnectionError, redis.TimeoutError):
        ended = True
    if ended:
        connection.disconnect()
