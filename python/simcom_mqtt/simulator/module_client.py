"""One of the module's two MQTT clients, from AT+CMQTTACCQ to AT+CMQTTREL."""

import re
import socket
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from .answer import Answer, Refused
from .client_settings import Acquisition, Configuration, Server
from .connect_options import ConnectOptions, Will
from .connection_attempt import ConnectionAttempt, Destination, TlsOptions
from .event_loop import EventLoop
from .mqtt_connection import Acknowledged, MqttConnection
from .operation import Operation
from .result_codes import (
    CERTIFICATE_NOT_SET,
    CLIENT_IS_BUSY,
    CLIENT_NOT_ACQUIRED,
    INVALID_PARAMETER,
    MESSAGE_RECEIVE_FAIL,
    NO_CONNECTION,
    OPEN_SESSION_FAILED,
    SOCK_CONNECT_FAIL,
    SOCKET_CLOSED_BY_SERVER,
    SUCCEEDED,
    TOPIC_IS_EMPTY,
)
from .ssl_context import CertificateNotSetError, SessionNotOpenedError, SslSettings, make_ssl_context

DEFAULT_PORT: Final = 1883
_ADDRESS: Final = re.compile(r"tcp://(?:\[([^\]]+)\]|([^:/\[\]]+))(?::(\d{1,5}))?/?")


class ClientHost(Protocol):
    """The part of the module that a client uses."""

    @property
    def loop(self) -> EventLoop:
        """The event loop."""

    def ssl_settings(self, context: int) -> SslSettings:
        """Return one of the SSL contexts."""

    @property
    def connects_with_tls(self) -> bool:
        """False on firmware that fails each CONNECT with TLS."""

    @property
    def now(self) -> datetime:
        """The time of the module's clock."""

    @property
    def files(self) -> dict[str, bytes]:
        """The certificate store."""

    def destination(self, host: str, port: int) -> Destination:
        """Return the address that a connection to a host is made to."""

    def connection_lost(self, client: "Client", cause: int) -> None:
        """Report a lost connection."""

    def ping_failed(self, client: "Client") -> None:
        """Report a keep-alive that the broker did not answer."""

    def message_arrived(self, client: "Client", topic: bytes, payload: bytes) -> None:
        """Report an inbound message."""


class Client:
    """Client 0 or 1."""

    def __init__(self, host: ClientHost, index: int, code_when_connected: int) -> None:
        self._host = host
        self._code_when_connected = code_when_connected
        self._attempt: ConnectionAttempt | None = None
        self._connection: MqttConnection | None = None
        self._operation: Operation | None = None
        self._is_paused = False
        self.index = index
        self.acquisition: Acquisition | None = None
        self.ssl_context: int | None = None
        self.server: Server | None = None
        """The parameters of CONNECT while connected."""
        self.subscriptions: list[bytes] = []

    @property
    def is_connected(self) -> bool:
        """True while a connection that the broker accepted is open."""
        return self.server is not None

    @property
    def is_busy(self) -> bool:
        """True while an operation is in flight."""
        return self._operation is not None

    @property
    def acquired(self) -> Acquisition:
        """Return the acquisition.

        :raises Refused: the client is not acquired.
        """
        if self.acquisition is None:
            raise Refused(CLIENT_NOT_ACQUIRED)
        return self.acquisition

    @property
    def configuration(self) -> Configuration:
        """The values of AT+CMQTTCFG?: the defaults while not acquired."""
        return Configuration() if self.acquisition is None else self.acquisition.configuration

    def require_connection(self) -> MqttConnection:
        """Return the connection.

        :raises Refused: there is no connection, or an operation is in flight.
        """
        _ = self.acquired
        if self._operation is not None:
            raise Refused(CLIENT_IS_BUSY)
        if self._connection is None:
            raise Refused(NO_CONNECTION)
        return self._connection

    def require_connected(self) -> None:
        """Check that the client is connected; operations may be in flight.

        :raises Refused: it is not.
        """
        _ = self.acquired
        if not self.is_connected:
            raise Refused(NO_CONNECTION)

    def release(self) -> None:
        """Release the client and clear everything that belongs to the acquisition."""
        self.acquisition = None

    def power_off(self) -> None:
        """Drop everything without telling host or broker."""
        if self._operation is not None:
            self._operation.drop()
            self._operation = None
        self._close()
        self.acquisition = None
        self.ssl_context = None

    def connect(self, answer: Answer, server: Server) -> None:
        """Connect to a broker: AT+CMQTTCONNECT."""
        acquired = self.acquired
        if self.is_connected:
            raise Refused(self._code_when_connected)
        if self._operation is not None:
            raise Refused(CLIENT_IS_BUSY)
        host, port = _host_and_port(server.address)
        answer.accept()
        operation = self._begin(
            answer, acquired.configuration.operation_timeout, lambda code: self._connect_ended(server, code)
        )
        if answer.failure is not None:
            operation.end(answer.failure)
            return
        options = self._connect_options(acquired, server)
        if acquired.is_tls and not self._host.connects_with_tls:
            operation.end(SOCK_CONNECT_FAIL)
            return
        try:
            tls = self._tls_options() if acquired.is_tls else None
        except CertificateNotSetError:
            operation.end(CERTIFICATE_NOT_SET)
            return
        except SessionNotOpenedError:
            operation.end(OPEN_SESSION_FAILED)
            return
        self._attempt = ConnectionAttempt(
            self._host.loop,
            self._host.destination(host, port),
            tls,
            acquired.configuration.operation_timeout,
            lambda connection: self._reached(connection, options),
            operation.end,
        )
        self._attempt.start()

    def disconnect(self, answer: Answer) -> None:
        """Disconnect from the broker: AT+CMQTTDISC."""
        connection = self.require_connection()
        answer.accept()
        if answer.failure is not None:
            answer.conclude(answer.failure)
            return
        connection.disconnect()
        self._close()
        self.ssl_context = None
        answer.conclude(SUCCEEDED)

    def publish(self, answer: Answer, qos: int, timeout: float, retain: bool, duplicate: bool) -> None:
        """Send the staged topic and payload: AT+CMQTTPUB."""
        connection = self.require_connection()
        acquired = self.acquired
        if acquired.topic is None:
            raise Refused(TOPIC_IS_EMPTY)
        topic, payload = acquired.topic, acquired.payload
        acquired.topic, acquired.payload = None, b""
        answer.accept()
        operation = self._begin(answer, timeout)
        if answer.failure is not None:
            operation.end(answer.failure)
            return
        connection.publish(topic, payload, qos, retain, duplicate, operation.end)

    def subscribe(self, answer: Answer, topics: list[tuple[bytes, int]], duplicate: bool) -> None:
        """Subscribe to topics, one request after the other: AT+CMQTTSUB."""
        connection = self.require_connection()

        def request(topic: bytes, qos: int, done: Acknowledged) -> None:
            def subscribed(code: int) -> None:
                if code == SUCCEEDED and topic not in self.subscriptions:
                    self.subscriptions.append(topic)
                done(code)

            connection.subscribe(topic, qos, duplicate, subscribed)

        self._request_one_by_one(answer, [partial(request, topic, qos) for topic, qos in topics])

    def unsubscribe(self, answer: Answer, topics: list[bytes], duplicate: bool) -> None:
        """Unsubscribe from topics, one request after the other: AT+CMQTTUNSUB."""
        connection = self.require_connection()

        def request(topic: bytes, done: Acknowledged) -> None:
            def unsubscribed(code: int) -> None:
                if code == SUCCEEDED and topic in self.subscriptions:
                    self.subscriptions.remove(topic)
                done(code)

            connection.unsubscribe(topic, duplicate, unsubscribed)

        self._request_one_by_one(answer, [partial(request, topic) for topic in topics])

    def lose_connection(self, code: int, cause: int) -> None:
        """End the connection after the network or the broker ended it."""
        was_connected = self.is_connected
        self._close()
        if self._operation is not None:
            self._operation.end(code)
        if was_connected:
            self._host.connection_lost(self, cause)

    def drop_connection(self, cause: int) -> None:
        """Break the socket of the connection or of the connection attempt."""
        self.lose_connection(MESSAGE_RECEIVE_FAIL if self.is_connected else SOCKET_CLOSED_BY_SERVER, cause)

    def pause(self, paused: bool) -> None:
        """Stop or resume reading from the broker."""
        self._is_paused = paused
        if self._connection is not None:
            self._connection.pause(paused)

    def session_opened(self) -> None:
        """The broker accepted the connection."""
        if self._operation is not None:
            self._operation.end(SUCCEEDED)

    def session_refused(self, code: int) -> None:
        """The broker refused the connection."""
        if self._operation is not None:
            self._operation.end(code)

    def ping_failed(self) -> None:
        """The broker did not answer a keep-alive; `session_lost` follows."""
        self._host.ping_failed(self)

    def session_lost(self, code: int, cause: int) -> None:
        """The connection was lost."""
        self.lose_connection(code, cause)

    def message_arrived(self, topic: bytes, payload: bytes) -> None:
        """A message arrived."""
        self._host.message_arrived(self, topic, payload)

    def _request_one_by_one(self, answer: Answer, requests: list[Callable[[Acknowledged], None]]) -> None:
        answer.accept()
        operation = self._begin(answer, self.configuration.operation_timeout)

        def next_request(code: int) -> None:
            if code == SUCCEEDED and requests:
                requests.pop(0)(next_request)
            else:
                operation.end(code)

        next_request(answer.failure or SUCCEEDED)

    def _begin(
        self, answer: Answer, timeout: float, ended: Callable[[int], object] = lambda _code: None
    ) -> Operation:
        def end(code: int) -> None:
            self._operation = None
            ended(code)

        self._operation = Operation(self._host.loop, answer, timeout, end)
        return self._operation

    def _reached(self, connection: socket.socket, options: ConnectOptions) -> None:
        self._attempt = None
        self._connection = MqttConnection(self._host.loop, options, connection, self)
        self._connection.pause(self._is_paused)
        self._connection.open()

    def _connect_ended(self, server: Server, code: int) -> None:
        if code == SUCCEEDED:
            self.server = server
            return
        self._close()
        self.ssl_context = None

    def _close(self) -> None:
        connecting, self._attempt = self._attempt, None
        connection, self._connection = self._connection, None
        self.server = None
        self.subscriptions = []
        if connecting is not None:
            connecting.cancel()
        if connection is not None:
            connection.abort()

    def _connect_options(self, acquired: Acquisition, server: Server) -> ConnectOptions:
        will = None
        if acquired.will_topic is not None and acquired.will_message is not None:
            will = Will(acquired.will_topic, acquired.will_message, acquired.will_qos)
        return ConnectOptions(
            acquired.client_id,
            server.keepalive,
            bool(server.clean_session),
            server.user,
            server.password,
            will,
            acquired.configuration.version,
        )

    def _tls_options(self) -> TlsOptions:
        settings = self._host.ssl_settings(self.index if self.ssl_context is None else self.ssl_context)
        return TlsOptions(
            make_ssl_context(settings, self._host.files),
            sends_name=bool(settings.enableSNI),
            checks_name=settings.checks_name,
            time=self._host.now.timestamp() if settings.checks_times else None,
            timeout=settings.negotiatetime,
        )


def _host_and_port(address: bytes) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(address.decode("utf-8", "replace"))
    if match is None:
        raise Refused(INVALID_PARAMETER)
    port = int(match[3] or DEFAULT_PORT)
    if not 1 <= port <= 65_535:
        raise Refused(INVALID_PARAMETER)
    return match[1] or match[2], port
