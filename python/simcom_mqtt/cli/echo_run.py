"""Messages to oneself through the broker: each is counted, timed and compared with what was sent."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Final

from simcom_mqtt import Message, MqttClient, OutcomeUnknownError, QoS, SimcomError

PATTERN: Final = bytes(range(256)) * 42
FAILURES_IN_A_ROW: Final = 10
SHORTEST: Final = 32
"""Bytes that a message needs to say which one it is."""


@dataclass
class Counts:
    """What became of the messages."""

    sent: int = 0
    """Handed to the module, certainly or perhaps."""
    received: int = 0
    """Came back, each counted once."""
    failed: int = 0
    """Refused by the module."""
    unknown: int = 0
    """Handed over without a result."""
    duplicates: int = 0
    altered: int = 0
    """Came back, but not as they were sent."""
    latencies: list[float] = field(default_factory=list)
    """From the call until the message was back, in seconds."""
    errors: list[str] = field(default_factory=list)

    @property
    def outstanding(self) -> int:
        """Sent, and not back: lost, if it is over."""
        return self.sent - self.received


class EchoRun:
    """Publishes to a topic of its own and receives from it."""

    def __init__(self, client: MqttClient, qos: QoS, size: int, timeout: float) -> None:
        self.counts = Counts()
        self._client = client
        self._qos = qos
        self._size = size
        self._timeout = timeout
        self._failures_in_a_row = 0
        self._name = uuid.uuid4().hex[:8]
        self._topic = f"simcom-mqtt/soak/{uuid.uuid4().hex}"
        self._begun: dict[int, float] = {}
        self._not_sent: set[int] = set()
        self._changed = threading.Condition()

    def subscribe(self) -> None:
        """Begin to listen."""
        self._client.subscribe(self._topic, self._qos, callback=self._receive, timeout=self._timeout)

    def unsubscribe(self) -> None:
        """Listen no more."""
        self._client.unsubscribe(self._topic, timeout=self._timeout)

    def publish(self, number: int) -> None:
        """Send a message, and wait until the module has a result.

        :raises SimcomError: too many in a row have failed.
        """
        with self._changed:
            self._begun[number] = time.monotonic()
            self.counts.sent += 1
        try:
            self._client.publish(self._topic, self._payload(number), self._qos, timeout=self._timeout)
        except OutcomeUnknownError as error:
            self.counts.unknown += 1
            self._remember(error)
        except SimcomError as error:
            self._take_back(number)
            self.counts.failed += 1
            self._remember(error)
        except KeyboardInterrupt:
            self._take_back(number)
            raise
        else:
            self._failures_in_a_row = 0

    def wait_for_the_rest(self, timeout: float) -> None:
        """Wait until all that was sent is back, but no longer than that."""
        with self._changed:
            self._changed.wait_for(lambda: self.counts.outstanding <= 0, timeout)

    def _take_back(self, number: int) -> None:
        """Count a message as not sent, unless it is or comes back."""
        with self._changed:
            if self._begun[number] >= 0:
                self._not_sent.add(number)
                self.counts.sent -= 1

    def _remember(self, error: SimcomError) -> None:
        self.counts.errors.append(str(error))
        self._failures_in_a_row += 1
        if self._failures_in_a_row == FAILURES_IN_A_ROW:
            raise SimcomError(f"{FAILURES_IN_A_ROW} publishes in a row failed; the last: {error}")

    def _payload(self, number: int) -> bytes:
        head = f"{self._name} {number} ".encode()
        return head + PATTERN[number % 256 :][: self._size - len(head)]

    def _receive(self, message: Message) -> None:
        now = time.monotonic()
        number = self._number(message.payload)
        with self._changed:
            begun = None if number is None else self._begun.get(number)
            if number is None or begun is None or message.payload != self._payload(number):
                self.counts.altered += 1
            elif begun < 0:
                self.counts.duplicates += 1
            else:
                self._begun[number] = -1.0
                self.counts.received += 1
                if number in self._not_sent:
                    self.counts.sent += 1
                self.counts.latencies.append(now - begun)
            self._changed.notify_all()

    def _number(self, payload: bytes) -> int | None:
        name, _, rest = payload.partition(b" ")
        digits = rest.partition(b" ")[0]
        return int(digits) if name == self._name.encode() and digits.isdigit() and len(digits) < 19 else None
