"""A wire to a server on this machine that tests cut, hold up or break after so many bytes."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable


class Relay:
    """Listens on a port of its own (`port`) and passes everything on to another port; `tls` is spoken with clients where it is given."""

    def __init__(self, target: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self._flows = threading.Event()
        self._flows.set()
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._left: dict[bool, int] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    def cut(self) -> None:
        """Break all connections; new ones may be made."""
        with self._lock:
            ends, self._ends, self._left = self._ends, [], {}
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def cut_after(self, count: int, *, answers: bool = False) -> None:
        """Break all connections once so many more bytes have gone to the server, or have come from it."""
        with self._lock:
            self._left[answers] = count

    def hold(self) -> None:
        """Pass nothing on, in neither direction, until `release`; no connection ends."""
        self._flows.clear()

    def release(self) -> None:
        """Pass on again what was held up, too."""
        self._flows.set()

    def close(self) -> None:
        """Stop listening, break all connections and wait for the threads."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._flows.set()
        self.cut()
        for thread in self._threads:
            thread.join(10.0)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        self._threads.append(threading.Thread(target=work, args=args, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        try:
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            server = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        with self._lock:
            self._ends += [client, server]
        self._start(self._pass_on, server, client, True)
        self._pass_on(client, server, False)

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(65_536):
                self._flows.wait()
                kept = self._allowed(data, answers)
                target.sendall(kept)
                if len(kept) < len(data):
                    self.cut()
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _allowed(self, data: bytes, answers: bool) -> bytes:
        with self._lock:
            if answers not in self._left:
                return data
            kept = data[: self._left[answers]]
            self._left[answers] -= len(kept)
            return kept
