"""Host side of random sequences: an ordinary client of the broker that recognises every message."""

import itertools
import threading
from collections import Counter

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from bench_messages import MessageRegister, SentMessage
from rig.message_ids import MessageId


class BenchHost:
    """The host's own client of the broker: sends to the modules, and counts the messages that they send."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.register = MessageRegister()
        self.seen: Counter[MessageId] = Counter()
        self.unexpected: list[tuple[bytes, bytes]] = []
        """Topic and payload of messages that were never sent."""
        self._barriers = itertools.count()
        self._changed = threading.Condition()
        self._passed = -1
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, "bench host")
        self._client.on_message = self._on_message
        self._client.on_subscribe = lambda *_: self._subscribed.set()

    def __enter__(self) -> "BenchHost":
        self._client.on_connect = lambda client, *_: client.subscribe([("line/up/#", 2), ("line/barrier", 2)])
        self._client.connect("127.0.0.1", self.port)
        self._client.loop_start()
        assert self._subscribed.wait(5), "the host's own client could not subscribe"
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def send(self, sent: SentMessage, qos: int) -> None:
        """Publishes a message to a module."""
        self._client.publish(sent.topic.decode(), sent.payload, qos).wait_for_publish(5)

    def wait_for(self, message_ids: set[MessageId]) -> None:
        """Returns when these messages, and all that the broker received before this call, have been seen."""
        number = next(self._barriers)
        self._client.publish("line/barrier", str(number), 1)
        with self._changed:
            self._changed.wait_for(lambda: self._passed >= number and message_ids <= self.seen.keys(), 5)

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        topic, payload = message._topic, bytes(message.payload)
        with self._changed:
            if topic == b"line/barrier":
                self._passed = int(payload)
            elif (message_id := self.register.read(topic, payload)) is not None:
                self.seen[message_id] += 1
            else:
                self.unexpected.append((topic, payload))
            self._changed.notify_all()
