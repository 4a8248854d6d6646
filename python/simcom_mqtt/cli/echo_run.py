"""Echo run: publishes messages to its own topic, and counts, times and compares each that comes back."""

import threading
import time
import uuid
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from simcom_mqtt import Message, MqttClient, OutcomeUnknownError, QoS, SimcomError

from .text import error_text

PATTERN: Final = bytes(range(256)) * 42
MOST_FAILURES_IN_A_ROW: Final = 10
SHORTEST: Final = 32
"""Bytes that a message needs for its number."""
CLASS_BOUNDS: Final = tuple(factor * 10.0**exponent for exponent in range(-4, 3) for factor in (1, 2, 5))
"""Upper ends of the classes of a histogram, in seconds: 0.1 ms to 500 s."""


@dataclass
class Counts:
    """The outcomes of the messages."""

    sent: int = 0
    """Handed to the module; includes those whose outcome is unknown."""
    received: int = 0
    """Came back unaltered, each counted once."""
    failed: int = 0
    """Refused by the module."""
    unknown: int = 0
    """Handed to the module, which gave no result."""
    duplicates: int = 0
    altered: int = 0
    """Came back with other bytes than were sent."""
    latencies: list[float] = field(default_factory=list)
    """Seconds from the call to the message's return."""
    errors: list[str] = field(default_factory=list)

    @property
    def outstanding(self) -> int:
        """Sent and not back; at the end of the run: lost."""
        return self.sent - self.received


class EchoRun:
    """Publishes to its own topic and receives from it."""

    def __init__(self, client: MqttClient, qos: QoS, size: int, timeout: float) -> None:
        self.counts = Counts()
        self._client = client
        self._qos = qos
        self._size = size
        self._timeout = timeout
        self._failures_in_a_row = 0
        self._name = uuid.uuid4().hex[:8]
        self._topic = f"simcom-mqtt/soak/{uuid.uuid4().hex}"
        # When each message was sent, by its number; None once it is back.
        self._sent_at: dict[int, float | None] = {}
        self._not_sent: set[int] = set()
        self._changed = threading.Condition()

    def subscribe(self) -> None:
        """Subscribe to the run's topic."""
        self._client.subscribe(self._topic, self._qos, callback=self._receive, timeout=self._timeout)

    def unsubscribe(self) -> None:
        """Unsubscribe from the run's topic."""
        self._client.unsubscribe(self._topic, timeout=self._timeout)

    def publish(self, number: int) -> None:
        """Send a message, and wait for the module's result.

        SimcomError: too many in a row have failed.
        """
        with self._changed:
            self._sent_at[number] = time.monotonic()
            self.counts.sent += 1
        try:
            self._client.publish(self._topic, self._payload(number), self._qos, timeout=self._timeout)
        except OutcomeUnknownError as error:
            self.counts.unknown += 1
            self._add_failure(error)
        except SimcomError as error:
            self._count_as_not_sent(number)
            self.counts.failed += 1
            self._add_failure(error)
        except KeyboardInterrupt:
            self._count_as_not_sent(number)
            raise
        else:
            self._failures_in_a_row = 0

    def wait_for_outstanding(self, timeout: float) -> None:
        """Wait until every sent message is back, at most `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.counts.outstanding <= 0, timeout)

    def _count_as_not_sent(self, number: int) -> None:
        """Count a message as not sent, unless it is back or comes back later."""
        with self._changed:
            if self._sent_at[number] is not None:
                self._not_sent.add(number)
                self.counts.sent -= 1

    def _add_failure(self, error: SimcomError) -> None:
        self.counts.errors.append(error_text(error))
        self._failures_in_a_row += 1
        if self._failures_in_a_row == MOST_FAILURES_IN_A_ROW:
            raise SimcomError(
                f"{MOST_FAILURES_IN_A_ROW} publishes in a row failed; the last: {error_text(error)}"
            )

    def _payload(self, number: int) -> bytes:
        head = f"{self._name} {number} ".encode()
        return head + PATTERN[number % 256 :][: self._size - len(head)]

    def _receive(self, message: Message) -> None:
        now = time.monotonic()
        number = self._number(message.payload)
        with self._changed:
            if number not in self._sent_at or message.payload != self._payload(number):
                self.counts.altered += 1
            elif (sent_at := self._sent_at[number]) is None:
                self.counts.duplicates += 1
            else:
                self._sent_at[number] = None
                self.counts.received += 1
                if number in self._not_sent:
                    self.counts.sent += 1
                self.counts.latencies.append(now - sent_at)
            self._changed.notify_all()

    def _number(self, payload: bytes) -> int:
        """Return the number in a payload; -1 if there is none."""
        name, _, rest = payload.partition(b" ")
        digits = rest.partition(b" ")[0]
        return int(digits) if name == self._name.encode() and digits.isdigit() and len(digits) < 19 else -1


def percentile(ordered: Sequence[float], percent: float) -> float:
    """Return the least value that is not exceeded by this percentage of the values."""
    position = -int(-len(ordered) * percent // 100)
    return ordered[max(position, 1) - 1]


def histogram(values: Sequence[float]) -> list[tuple[str, int]]:
    """Return the number of values in each class, from the first class that is not empty to the last."""
    counts = [0] * (len(CLASS_BOUNDS) + 1)
    for value in values:
        counts[bisect_left(CLASS_BOUNDS, value)] += 1
    filled = [position for position, count in enumerate(counts) if count]
    if not filled:
        return []
    return [(_class_name(position), counts[position]) for position in range(filled[0], filled[-1] + 1)]


def _class_name(position: int) -> str:
    if position == len(CLASS_BOUNDS):
        return f"> {format_time(CLASS_BOUNDS[-1])}"
    return f"<= {format_time(CLASS_BOUNDS[position])}"


def format_time(seconds: float) -> str:
    """Format a time in milliseconds or seconds."""
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
