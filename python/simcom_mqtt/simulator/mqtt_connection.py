"""One MQTT connection of the module: a paho client on an open socket, run by the event loop."""

import socket
import ssl
from collections.abc import Callable
from typing import Any, Final, Protocol

from paho.mqtt.client import Client, MQTTMessage

from .connect_options import ConnectOptions
from .event_loop import READ, WRITE, EventLoop, Timer, close_socket, logger
from .paho_client import PahoClient, WireText
from .result_codes import (
    FAILED,
    INVALID_PARAMETER,
    LOST_BY_RESET,
    LOST_PASSIVELY,
    MESSAGE_RECEIVE_FAIL,
    REFUSED_PROTOCOL_VERSION,
    SOCK_SENDING_FAIL,
    SOCKET_CLOSED_BY_SERVER,
)

LONGEST_KEEPALIVE_CHECK: Final = 15.0
"""The longest time between two checks of the keep-alive, in seconds."""


Acknowledged = Callable[[int], object]
"""Callback for the result code of a publish, subscribe or unsubscribe."""


class ConnectionOwner(Protocol):
    """The receiver of the events of a connection; every call comes from the loop."""

    def session_opened(self) -> None:
        """The broker accepted the connection."""

    def session_refused(self, code: int) -> None:
        """The broker refused the connection, or closed it before CONNACK."""

    def ping_failed(self) -> None:
        """The broker did not answer a keep-alive; `session_lost` follows."""

    def session_lost(self, code: int, cause: int) -> None:
        """The connection was lost: result code for the operation in flight, and cause for CONNLOST."""

    def message_arrived(self, topic: bytes, payload: bytes) -> None:
        """A message arrived."""


class MqttConnection:
    """An MQTT session on an open socket."""

    def __init__(
        self, loop: EventLoop, options: ConnectOptions, connection: socket.socket, owner: ConnectionOwner
    ) -> None:
        self._loop = loop
        self._owner: ConnectionOwner | None = owner
        self._version = options.version
        self._opened = False
        self._paused = False
        self._socket: socket.socket | None = connection
        self._unanswered: dict[int, Acknowledged] = {}
        self._answered_early: dict[int, int] | None = None
        self._keepalive_timer: Timer | None = None
        self._client = self._make_client(options, connection)
        self._keepalive = options.keepalive

    def open(self) -> None:
        """Send CONNECT."""
        self._guard(lambda: self._client.connect("module", 1883, self._keepalive))
        self._watch()
        self._schedule_keepalive_check()

    def publish(
        self, topic: bytes, payload: bytes, qos: int, retain: bool, duplicate: bool, done: Acknowledged
    ) -> None:
        """Send a message; `done` is called when the QoS handshake is complete."""
        # MQTT forbids the DUP flag at QoS 0: a broker closes the connection.
        self._send(
            lambda: self._client.publish(WireText.of(topic), payload, qos, retain).mid,
            duplicate and qos > 0,
            done,
        )

    def subscribe(self, topic: bytes, qos: int, duplicate: bool, done: Acknowledged) -> None:
        """Subscribe to a topic filter."""
        # Only MQTT 3.1 has the DUP flag in SUBSCRIBE.
        self._send(
            lambda: self._client.subscribe(WireText.of(topic), qos)[1], duplicate and self._version == 3, done
        )

    def unsubscribe(self, topic: bytes, duplicate: bool, done: Acknowledged) -> None:
        """Unsubscribe from a topic filter."""
        self._send(
            lambda: self._client.unsubscribe(WireText.of(topic))[1], duplicate and self._version == 3, done
        )

    def disconnect(self) -> None:
        """Send DISCONNECT and close."""
        self._owner = None
        self._guard(self._client.disconnect)
        self.abort()

    def abort(self) -> None:
        """Close the socket without DISCONNECT: the broker sends the will."""
        self._owner = None
        self._finish()

    def pause(self, paused: bool) -> None:
        """Stop or resume reading from the broker."""
        if paused != self._paused:
            self._paused = paused
            self._watch()

    def _make_client(self, options: ConnectOptions, connection: socket.socket) -> PahoClient:
        client = PahoClient(options, connection)
        client.max_inflight_messages_set(0)
        if options.user is not None:
            password = None if options.password is None else WireText.of(options.password)
            client.username_pw_set(WireText.of(options.user), password)
        if options.will is not None:
            client.will_set(WireText.of(options.will.topic), options.will.payload, options.will.qos)
        client.on_connect = self._guarded(self._on_connect)
        client.on_disconnect = self._guarded(self._on_disconnect)
        client.on_message = self._guarded(self._on_message)
        client.on_publish = self._guarded(self._on_publish)
        client.on_subscribe = self._guarded(self._on_subscribe)
        client.on_unsubscribe = self._guarded(self._on_unsubscribe)
        return client

    def _send(self, send: Callable[[], int | None], duplicate: bool, done: Acknowledged) -> None:
        self._client.duplicate = duplicate
        self._answered_early = {}
        try:
            packet_id = send()
        except ValueError as error:
            logger.debug("paho-mqtt refuses the packet: %s", error)
            done(INVALID_PARAMETER)
            return
        finally:
            self._client.duplicate = False
            answered, self._answered_early = self._answered_early, None
            self._watch()
        if packet_id in answered:
            done(answered[packet_id])
        elif packet_id is not None:
            self._unanswered[packet_id] = done

    def _guard(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception:
            logger.warning("paho-mqtt failed; the connection is closed", exc_info=True)
            self._end(FAILED, LOST_PASSIVELY)

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception:
                logger.exception("internal error of the simulated module in a callback of paho-mqtt")

        return call

    def _watch(self) -> None:
        if self._socket is None:
            return
        events = (0 if self._paused else READ) | (WRITE if self._client.want_write() else 0)
        if events:
            self._loop.watch(self._socket, events, self._ready)
        else:
            self._loop.unwatch(self._socket)

    def _ready(self, events: int) -> None:
        if events & READ:
            self._guard(self._read)
        if events & WRITE and self._socket is not None:
            self._guard(self._client.loop_write)
        self._watch()

    def _read(self) -> None:
        # One read from the socket at a time: in between, a slow host can throttle the broker.
        self._client.allow_receive()
        while self._socket is not None and not self._client.loop_read() and self._has_more():
            pass

    def _has_more(self) -> bool:
        if self._client.has_received:
            return True
        return isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0

    def _schedule_keepalive_check(self) -> None:
        if self._socket is not None:
            delay = min(self._keepalive / 4, LONGEST_KEEPALIVE_CHECK)
            self._keepalive_timer = self._loop.call_later(delay, self._check_keepalive)

    def _check_keepalive(self) -> None:
        self._guard(self._client.loop_misc)
        self._watch()
        self._schedule_keepalive_check()

    def _on_connect(
        self, _client: Client, _userdata: object, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        if not reason.is_failure and self._owner is not None:
            self._opened = True
            self._owner.session_opened()

    def _on_disconnect(
        self, _client: Client, _userdata: object, _flags: Any, reason: Any, _properties: Any
    ) -> None:
        client = self._client
        if self._owner is not None and self._opened and reason == "Keep alive timeout":
            self._owner.ping_failed()
        code = SOCK_SENDING_FAIL if client.sending_failed else MESSAGE_RECEIVE_FAIL
        self._end(code, LOST_BY_RESET if client.was_reset else LOST_PASSIVELY)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        if self._owner is not None:
            self._owner.message_arrived(message._topic, bytes(message.payload))

    def _on_publish(self, _client: Client, _userdata: object, packet_id: int, *_arguments: Any) -> None:
        self._acknowledge(packet_id, 0)

    def _on_subscribe(
        self, _client: Client, _userdata: object, packet_id: int, reasons: Any, _properties: Any
    ) -> None:
        self._acknowledge(packet_id, FAILED if any(reason.is_failure for reason in reasons) else 0)

    def _on_unsubscribe(self, _client: Client, _userdata: object, packet_id: int, *_arguments: Any) -> None:
        self._acknowledge(packet_id, 0)

    def _acknowledge(self, packet_id: int, code: int) -> None:
        done = self._unanswered.pop(packet_id, None)
        if done is not None:
            done(code)
        elif self._answered_early is not None:
            self._answered_early[packet_id] = code

    def _end(self, code: int, cause: int) -> None:
        owner, self._owner = self._owner, None
        self._finish()
        if owner is None:
            return
        if self._opened:
            owner.session_lost(code, cause)
        else:
            owner.session_refused(_refusal_code(self._client.connack_code))

    def _finish(self) -> None:
        self._unanswered.clear()
        if self._keepalive_timer is not None:
            self._keepalive_timer.cancel()
        if self._socket is not None:
            self._loop.unwatch(self._socket)
            close_socket(self._socket)
            self._socket = None


def _refusal_code(connack_code: int | None) -> int:
    if connack_code is None:
        return SOCKET_CLOSED_BY_SERVER
    if 1 <= connack_code <= 5:
        return REFUSED_PROTOCOL_VERSION + connack_code - 1
    return FAILED
