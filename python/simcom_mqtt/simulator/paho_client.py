"""A paho-mqtt client on an open socket, with topics of any bytes and control of the DUP flag."""

import socket
import ssl
from typing import Any, Final

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from .connect_options import ConnectOptions

RECEIVE_SIZE: Final = 65_536


class WireText(str):
    """Text that encodes to given bytes: the public calls of paho accept no bytes as topic."""

    __slots__ = ()

    @classmethod
    def of(cls, raw: bytes) -> "WireText":
        """Return the text that encodes to `raw`."""
        return cls(raw.decode("utf-8", "surrogateescape"))

    def encode(self, encoding: str = "utf-8", errors: str = "surrogateescape") -> bytes:
        """Return the original bytes."""
        return super().encode("utf-8", "surrogateescape")


class PahoClient(Client):
    """A paho client on an open socket that shows the CONNACK code and sets the DUP flag."""

    def __init__(self, options: ConnectOptions, connection: socket.socket) -> None:
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=WireText.of(options.client_id),
            clean_session=options.clean_session,
            protocol=MQTTProtocolVersion(options.version),
            reconnect_on_failure=False,
        )
        self._connection: socket.socket | None = connection
        self._received = b""
        self._may_receive = False
        self.duplicate = False
        self.connack_code: int | None = None
        self.was_reset = False
        self.sending_failed = False

    @property
    def has_received(self) -> bool:
        """True if received bytes wait to be parsed."""
        return bool(self._received)

    def allow_receive(self) -> None:
        """Allow one more read from the socket, so that the reader can stop between two."""
        self._may_receive = True

    def _create_socket(self) -> Any:
        connection, self._connection = self._connection, None
        if connection is None:
            raise OSError("a connection of the module cannot reconnect")
        return connection

    def _sock_recv(self, bufsize: int) -> bytes:
        # paho reads single bytes: one system call for many packets is several times cheaper.
        if not self._received:
            if not self._may_receive and not self._has_pending():
                raise BlockingIOError
            self._may_receive = False
            try:
                self._received = super()._sock_recv(RECEIVE_SIZE)
                self._acknowledge_at_once()
            except ConnectionResetError:
                self.was_reset = True
                raise
        data, self._received = self._received[:bufsize], self._received[bufsize:]
        return data

    def _has_pending(self) -> bool:
        """True if TLS has decrypted bytes, which no selector sees."""
        return isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def _acknowledge_at_once(self) -> None:
        # Without this a broker that uses Nagle's algorithm waits 40 ms before its next packet.
        if isinstance(self._sock, socket.socket) and hasattr(socket, "TCP_QUICKACK"):
            self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _sock_send(self, buf: bytes | bytearray) -> int:
        try:
            return super()._sock_send(buf)
        except BlockingIOError:
            raise
        except OSError as error:
            self.sending_failed = True
            self.was_reset = isinstance(error, ConnectionResetError)
            raise

    def _handle_connack(self) -> MQTTErrorCode:
        packet = self._in_packet["packet"]
        self.connack_code = packet[1] if len(packet) == 2 else None
        return super()._handle_connack()

    def _send_publish(self, mid: int, topic: bytes, *arguments: Any, **named: Any) -> MQTTErrorCode:
        payload, qos, retain, dup, *rest = arguments
        return super()._send_publish(mid, topic, payload, qos, retain, dup or self.duplicate, *rest, **named)

    def _send_subscribe(self, dup: int, *arguments: Any, **named: Any) -> tuple[MQTTErrorCode, int]:
        return super()._send_subscribe(dup or self.duplicate, *arguments, **named)

    def _send_unsubscribe(self, dup: int, *arguments: Any, **named: Any) -> tuple[MQTTErrorCode, int]:
        return super()._send_unsubscribe(dup or self.duplicate, *arguments, **named)
