"""The host's MQTT client: an ordinary client whose captures work like those of the driver."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Self

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

QoS = Literal[0, 1, 2]

_BROKER_TIMEOUT: Final = 10.0
"""Seconds for an answer of the broker."""


@dataclass(frozen=True)
class HostMessage:
    """A message that the broker delivered to the host."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    """True if the broker had kept the message; MQTT 3.1.1 clears the flag of a new one."""

    def text(self, encoding: str = "utf-8") -> str:
        """Return the payload as text."""
        return self.payload.decode(encoding)

    def json(self) -> Any:
        """Parse the payload as JSON."""
        return json.loads(self.payload)

    def matches(self, filter: str) -> bool:  # noqa: A002 - the word of MQTT
        """Return True if the topic matches an MQTT filter with its wildcards + and #."""
        from paho.mqtt.client import topic_matches_sub

        return topic_matches_sub(filter, self.topic)


class HostClient:
    """An MQTT 3.1.1 client of paho-mqtt, connected while its `with` block runs."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._changed = threading.Condition()
        self._captures: list[HostCapture] = []
        self._connect_result: str | None = None
        self._granted: dict[int, int] = {}
        self._subscriptions: list[str] = []
        self._client: Client

    def __enter__(self) -> Self:
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._arrived
        where = f"the host's client at {self._address[0]}:{self._address[1]}"
        try:
            self._client.connect(*self._address)
        except OSError as error:
            raise ConnectionError(
                f"{where}: {error}; is the broker running, and is its port right?"
            ) from error
        self._client.loop_start()
        try:
            self._wait(lambda: self._connect_result is not None, _BROKER_TIMEOUT, f"{where}: no answer")
            if self._connect_result != "Success":
                raise ConnectionError(f"{where}: the broker refused: {self._connect_result}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, topic: str, qos: QoS = 0) -> None:
        """Subscribe to a topic filter; return once the broker has granted it.

        ValueError: not a topic filter.
        PermissionError: the broker refused it.
        TimeoutError: the broker did not answer.
        """
        _, packet = self._client.subscribe(topic, qos)
        if packet is None:
            raise ConnectionError(f"the host is no longer connected, and cannot subscribe to {topic}")
        self._wait(
            lambda: packet in self._granted, _BROKER_TIMEOUT, f"no answer to the subscription to {topic}"
        )
        if self._granted[packet] > 2:
            raise PermissionError(
                f"the broker refused the subscription to {topic}: do its access rules allow it?"
            )
        self._subscriptions.append(topic)

    def publish(self, topic: str, payload: bytes | str = b"", qos: QoS = 0, *, retain: bool = False) -> None:
        """Publish; return once the broker has confirmed the message, or, at QoS 0, once it is sent."""
        handed_over = self._client.publish(topic, payload, qos, retain)
        handed_over.wait_for_publish(_BROKER_TIMEOUT)
        if not handed_over.is_published():
            raise TimeoutError(
                f"the broker did not confirm a message to {topic} within {_BROKER_TIMEOUT:g} s"
            )

    def capture(self, filter: str = "#") -> HostCapture:  # noqa: A002 - the word of MQTT
        """Collect messages from this call on: `with simcom_host.capture("dut/#") as inbox: …`.

        Subscribe first, as with a client of the module.
        """
        return HostCapture(self, filter)

    def _connected(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self._changed:
            self._connect_result = str(reason)
            self._changed.notify_all()

    def _subscribed(
        self, _client: Any, _data: Any, packet: int, reasons: list[Any], _properties: Any
    ) -> None:
        with self._changed:
            self._granted[packet] = reasons[0].value
            self._changed.notify_all()

    def _arrived(self, _client: Any, _data: Any, arrived: MQTTMessage) -> None:
        # In some versions of paho-mqtt an empty payload is not of type bytes.
        payload: Any = arrived.payload
        message = HostMessage(arrived.topic, bytes(payload), arrived.qos, bool(arrived.retain))
        with self._changed:
            for capture in self._captures:
                capture._take(message)
            self._changed.notify_all()

    def _wait(self, condition: Callable[[], bool], timeout: float, error: str) -> None:
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"{error} within {timeout:g} s")


class HostCapture:
    """The messages to the host that match a filter, collected until its `with` block ends."""

    def __init__(self, client: HostClient, filter: str) -> None:  # noqa: A002 - the word of MQTT
        self._client = client
        self._filter = filter
        self._messages: list[HostMessage] = []
        self._others: list[HostMessage] = []
        self._handed_out = 0
        with client._changed:
            client._captures.append(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        with self._client._changed:
            if self in self._client._captures:
                self._client._captures.remove(self)

    @property
    def messages(self) -> list[HostMessage]:
        """All messages so far, including those that `get()` returned."""
        with self._client._changed:
            return list(self._messages)

    def get(self, timeout: float = 10.0) -> HostMessage:
        """Return the next message; wait for it if necessary.

        simcom_mqtt.MessageTimeoutError: no message arrived in time; `received` has all that arrived.
        """
        self._wait_count(self._handed_out + 1, timeout)
        self._handed_out += 1
        return self._messages[self._handed_out - 1]

    def wait_count(self, n: int, timeout: float = 10.0) -> list[HostMessage]:
        """Wait until `n` messages have arrived since the beginning, and return them all.

        simcom_mqtt.MessageTimeoutError: fewer arrived in time; they are in `received`.
        """
        self._wait_count(n, timeout)
        return self.messages

    def _take(self, message: HostMessage) -> None:
        (self._messages if message.matches(self._filter) else self._others).append(message)

    def _wait_count(self, count: int, timeout: float) -> None:
        with self._client._changed:
            if self._client._changed.wait_for(lambda: len(self._messages) >= count, timeout):
                return
            arrived = [*self._messages, *self._others]
        from simcom_mqtt import Message, MessageTimeoutError

        received = ", ".join(sorted({message.topic for message in arrived})) or "nothing"
        subscribed = ", ".join(self._client._subscriptions) or "nothing: call subscribe() first"
        raise MessageTimeoutError(
            f"{len(self._messages)} of {count} messages to {self._filter!r} arrived within {timeout:g} s; "
            f"the host received: {received}; it is subscribed to: {subscribed}",
            received=[Message(message.topic, message.payload) for message in arrived],
        )
