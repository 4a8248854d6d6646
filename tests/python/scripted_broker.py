"""A broker that misbehaves as a test asks: refusals, odd topics and silence that no real broker offers.

`packets` holds all packets that it received. It sends each publish to the connections that subscribed to the
exact topic or to #.
"""

import contextlib
import queue
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)


@dataclass(frozen=True)
class Packet:
    """One MQTT control packet."""

    type: int
    flags: int
    body: bytes

    @property
    def qos(self) -> int:
        """Part of a PUBLISH."""
        return self.flags >> 1 & 3

    @property
    def topic(self) -> bytes:
        """Part of a PUBLISH."""
        (length,) = struct.unpack_from(">H", self.body)
        return self.body[2 : 2 + length]

    @property
    def identifier(self) -> bytes:
        """Packet identifier: the two bytes that an acknowledgement repeats."""
        start = 2 + len(self.topic) if self.type == PUBLISH else 0
        return self.body[start : start + 2]

    @property
    def payload(self) -> bytes:
        """Part of a PUBLISH."""
        return self.body[2 + len(self.topic) + (2 if self.qos else 0) :]

    @property
    def filter(self) -> bytes:
        """Topic filter of a SUBSCRIBE or UNSUBSCRIBE; the module sends one in each packet."""
        (length,) = struct.unpack_from(">H", self.body, 2)
        return self.body[4 : 4 + length]


def encode(packet_type: int, body: bytes, flags: int = 0) -> bytes:
    """Returns a control packet as bytes."""
    remaining, length = len(body), b""
    while True:
        remaining, digit = divmod(remaining, 128)
        length += bytes([digit | (0x80 if remaining else 0)])
        if not remaining:
            return bytes([packet_type << 4 | flags]) + length + body


def encode_publish(topic: bytes, payload: bytes) -> bytes:
    """Returns a PUBLISH at QoS 0 as bytes."""
    return encode(PUBLISH, struct.pack(">H", len(topic)) + topic + payload)


class ScriptedBroker:
    """Listens on a free loopback port while the `with` block runs."""

    def __init__(
        self,
        *,
        connack: int = 0,
        suback: int | None = None,
        silent_on: int | None = None,
        closes_on: int | None = None,
    ) -> None:
        """Sets how the broker deviates from a correct one.

        connack: the return code.
        suback: the return code; None: the requested QoS.
        silent_on: the packet type that the broker does not answer until `speak_again()`.
        closes_on: the packet type that makes the broker close the connection.
        """
        self.connack = connack
        self.suback = suback
        self.silent_on = silent_on
        self.closes_on = closes_on
        self.packets: queue.Queue[Packet] = queue.Queue()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._connections: dict[socket.socket, set[bytes]] = {}
        self._unanswered: list[tuple[socket.socket, Packet]] = []
        self._guard = threading.RLock()
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    @property
    def url(self) -> str:
        """URL for the module to connect to."""
        return f"mqtt://{self.address}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *exc: object) -> None:
        # A blocked accept() does not notice a close(), but does notice a shutdown().
        self._server.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._server.close()
        self.close_connections()
        for thread in self._threads:
            thread.join()

    def close_connections(self) -> None:
        """Closes all connections."""
        with self._guard:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def speak_again(self) -> None:
        """Answers all unanswered packets, and every packet from now on."""
        with self._guard:
            self.silent_on = None
            for connection, packet in self._unanswered:
                self._answer(connection, packet)
            self._unanswered.clear()

    def publish(self, topic: bytes, payload: bytes = b"") -> None:
        """Sends a message to every connection, subscribed or not."""
        with self._guard:
            for connection in self._connections:
                connection.sendall(encode_publish(topic, payload))

    def wait_for(self, packet_type: int, timeout: float = 30) -> Packet:
        """Returns the next packet of this type that the module sent; skips those before it."""
        while True:
            packet = self.packets.get(timeout=timeout)
            if packet.type == packet_type:
                return packet

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with self._guard:
                self._connections[connection] = set()
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # The module may close the connection at any time.
        with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
            while packet := _read(stream.read):
                self.packets.put(packet)
                if packet.type in (self.closes_on, DISCONNECT):
                    break
                with self._guard:
                    self._answer(connection, packet)
        with self._guard:
            del self._connections[connection]

    def _answer(self, connection: socket.socket, packet: Packet) -> None:
        if packet.type == self.silent_on:
            self._unanswered.append((connection, packet))
        elif packet.type == CONNECT:
            connection.sendall(encode(CONNACK, bytes([0, self.connack])))
        elif packet.type == PUBLISH:
            if packet.qos:
                connection.sendall(encode(PUBACK if packet.qos == 1 else PUBREC, packet.identifier))
            self._echo(packet)
        elif packet.type == PUBREL:
            connection.sendall(encode(PUBCOMP, packet.identifier))
        elif packet.type == SUBSCRIBE:
            self._connections[connection].add(packet.filter)
            code = packet.body[-1] if self.suback is None else self.suback
            connection.sendall(encode(SUBACK, packet.identifier + bytes([code])))
        elif packet.type == UNSUBSCRIBE:
            self._connections[connection].discard(packet.filter)
            connection.sendall(encode(UNSUBACK, packet.identifier))
        elif packet.type == PINGREQ:
            connection.sendall(encode(PINGRESP, b""))

    def _echo(self, packet: Packet) -> None:
        for connection, filters in self._connections.items():
            if filters & {packet.topic, b"#"}:
                connection.sendall(encode_publish(packet.topic, packet.payload))


def _read(read: Callable[[int], bytes]) -> Packet | None:
    """Returns the next packet, or None at the end of the stream."""
    first = read(1)
    if not first:
        return None
    length = shift = 0
    while True:
        digit = read(1)[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if digit < 0x80:
            return Packet(first[0] >> 4, first[0] & 0x0F, read(length))
