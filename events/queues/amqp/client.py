"""The AMQP client of kombu, made to wait no longer than it should and to survive whatever a message says of itself; for `Link`."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import amqp  # type: ignore[import-untyped]
from amqp import method_framing, spec
from amqp.exceptions import FrameSyntaxError  # type: ignore[import-untyped]
from kombu.connection import Connection
from kombu.transport import pyamqp

from events.queues.amqp.properties import CUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.queues.urls import QueueUrl

ANSWER_S = 10.0
"""Seconds within which the broker must answer, and take what is sent to it."""

_CONNECT_S = 5.0
_HEADER = 2
# What the library raises for properties and headers that it cannot read.
_UNREADABLE = (
    ArithmeticError,
    FrameSyntaxError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
)
# Bytes of a frame of a header before its properties (AMQP 0-9-1, 4.2.6.1): class, weight, size of the body.
_BEFORE_PROPERTIES = 12


def connect(url: QueueUrl, heartbeat_s: int) -> Any:
    """Return a connection to the broker; without heartbeats when `heartbeat_s` is 0. Raises what kombu and its client raise."""
    options: dict[str, Any] = {"frame_handler": _forgiving}
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        # The library's own is one second, which a network may well take.
        options["socket_settings"] = {socket.TCP_USER_TIMEOUT: int(ANSWER_S * 1000)}
    broker = Connection(  # type: ignore[no-untyped-call]
        url.address,
        transport=_Transport,
        ssl=_tls(url.address),
        heartbeat=heartbeat_s,
        connect_timeout=_CONNECT_S,
        transport_options=options,
    )
    return broker.transport.establish_connection()


class _Client(pyamqp.Connection):
    def connect(self, callback: Any = None) -> Any:
        try:
            connected = super().connect(callback)
        except BaseException:
            self.collect()
            raise
        self.transport.sock.settimeout(ANSWER_S)
        # Having announced that it understands this, the client reads before it writes, and turns in a circle when half a frame has come.
        self.client_properties.get("capabilities", {}).pop("connection.blocked", None)
        return connected

    def drain_events(self, timeout: float | None = None) -> None:
        """Handle one method of the broker; unlike the library's, heartbeats do not prolong the wait."""
        end = time.monotonic() + (ANSWER_S if timeout is None else timeout)
        while not self.blocking_read(max(end - time.monotonic(), 0.001)):
            pass

    def on_inbound_method(self, channel_id: int, method_sig: tuple[int, int], payload: bytes, content: Any) -> Any:
        try:
            return super().on_inbound_method(channel_id, method_sig, payload, content)
        except UnicodeDecodeError:
            if method_sig != spec.Basic.Deliver:
                raise
            # Exchange and routing key, which say nothing to us, are not UTF-8: left out, behind consumer tag, number and flag.
            kept = payload[: 4 + 1 + payload[4] + 8 + 1]
            return super().on_inbound_method(channel_id, method_sig, kept + b"\x00\x00", content)


class _Transport(pyamqp.Transport):
    Connection = _Client


def _forgiving(connection: Any, callback: Callable[..., Any]) -> Callable[[Any], Any]:
    """Return the library's reader of frames, for which a message with properties that it cannot read says that of itself and nothing else.

    Else one message of a stranger would end each connection that it is delivered to; and without a limit that its sender gave it, it
    would be allowed more than with it.
    """
    cut = amqp.Message(application_headers=CUT)._serialize_properties()
    handle: Callable[[Any], Any] = method_framing.frame_handler(connection, callback)

    def handle_frame(frame: tuple[int, int, bytes]) -> Any:
        try:
            return handle(frame)
        except _UNREADABLE:
            kind, channel, content = frame
            if kind != _HEADER:
                raise
            return handle((kind, channel, content[:_BEFORE_PROPERTIES] + cut))

    return handle_frame


def _tls(address: str) -> dict[str, Any] | bool:
    """Return what makes the library check the broker's certificate and name, which it does not do by itself; False without TLS."""
    if not address.startswith("amqps:"):
        return False
    return {"cert_reqs": ssl.CERT_REQUIRED, "server_hostname": urlsplit(address).hostname}
