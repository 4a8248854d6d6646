"""An ordinary MQTT client on the same broker: receives the module's messages and sends to it."""

import queue
import threading
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.subscribeoptions import SubscribeOptions


class HostClient:
    """Connected while the `with` block runs. It speaks MQTT 5, which shows each message's own retain flag."""

    def __init__(self, port: int, client_id: str = "") -> None:
        self.port = port
        self._received: queue.Queue[MQTTMessage] = queue.Queue()
        self._connected = threading.Event()
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=MQTTv5)
        self._client.on_connect = lambda *_: self._connected.set()
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = lambda _client, _userdata, message: self._received.put(message)

    def __enter__(self) -> Self:
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        assert self._connected.wait(30), "the host's own client could not connect"
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, topic: str) -> None:
        """Subscribes; returns once the broker has granted it."""
        self._subscribed.clear()
        self._client.subscribe(topic, options=SubscribeOptions(qos=2, retainAsPublished=True))
        assert self._subscribed.wait(30), f"the host's own client could not subscribe to {topic}"

    def publish(self, topic: str, payload: bytes, qos: int = 0, *, retain: bool = False) -> None:
        """Publishes; returns once the message is acknowledged as its QoS demands."""
        self._client.publish(topic, payload, qos, retain).wait_for_publish(30)

    def get(self, timeout: float = 30) -> MQTTMessage:
        """Returns the next message that the broker delivered."""
        return self._received.get(timeout=timeout)

    def is_empty(self) -> bool:
        """Returns True if every delivered message was taken with `get`."""
        return self._received.empty()


def as_sent(message: MQTTMessage) -> tuple[str, bytes, int, bool]:
    """Returns topic, payload, QoS and retain flag of a message."""
    payload: Any = message.payload
    return message.topic, bytes(payload), message.qos, bool(message.retain)
