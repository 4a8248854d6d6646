"""The broker and the host's own clients: a sender to the modules, and an observer of their publishes."""

import subprocess
import tempfile
import threading
from collections import Counter
from pathlib import Path
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from simcom_mqtt.local_broker import find_mosquitto, free_port, wait_until_listening

from .message_ids import MessageId, read_message_id

_CONFIGURATION = """listener {port} 127.0.0.1
allow_anonymous true
set_tcp_nodelay true
max_queued_messages 0
max_inflight_messages 0
log_type error
"""


class Broker:
    """A Mosquitto that drops nothing, while the `with` block runs."""

    def __init__(self) -> None:
        program = find_mosquitto()
        if program is None:
            raise SystemExit("the Mosquitto broker is not installed: make test installs it")
        self.port = free_port()
        self._folder = tempfile.TemporaryDirectory(prefix="simcom-mqtt-soak-")
        configuration = Path(self._folder.name, "mosquitto.conf")
        configuration.write_text(_CONFIGURATION.format(port=self.port))
        self._process = subprocess.Popen([program, "-c", configuration])
        wait_until_listening(self.port, self._process)

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()


class Sender:
    """Sends messages to the modules."""

    def __init__(self, broker: Broker) -> None:
        self._client = _connected(broker, "sender")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        _end(self._client)

    def send(self, topic: bytes, payload: bytes, qos: int) -> None:
        """Publishes a message."""
        self._client.publish(topic.decode(), payload, qos)


class Observer:
    """Counts the messages that the modules send."""

    def __init__(self, broker: Broker) -> None:
        self.seen: Counter[MessageId] = Counter()
        self.unexpected: list[tuple[bytes, bytes]] = []
        """Topic and payload of messages that were never sent."""
        self._changed = threading.Condition()
        self._client = _connected(broker, "observer")
        self._client.on_message = self._on_message
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.subscribe("soak/up/#", 2)
        if not subscribed.wait(10):
            raise RuntimeError("the observer could not subscribe")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        _end(self._client)

    def wait_for(self, message_ids: set[MessageId], timeout: float) -> set[MessageId]:
        """Waits for these messages; returns those that are still missing after the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: message_ids <= self.seen.keys(), timeout)
            return message_ids - self.seen.keys()

    def _on_message(self, _client: Client, _userdata: object, message: MQTTMessage) -> None:
        topic, payload = message._topic, bytes(message.payload)
        message_id = read_message_id(topic, payload)
        with self._changed:
            if message_id is None:
                self.unexpected.append((topic, payload))
            else:
                self.seen[message_id] += 1
            self._changed.notify_all()


def _connected(broker: Broker, name: str) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, f"soak-{name}")
    client.max_inflight_messages_set(65_535)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    if not connected.wait(10):
        raise RuntimeError(f"the {name} could not connect to the broker")
    return client


def _end(client: Client) -> None:
    client.disconnect()
    client.loop_stop()
