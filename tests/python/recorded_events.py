"""Records the callbacks and the log of a driver in order, and waits for an entry."""

import logging
import queue
import re
from typing import Self

from simcom_mqtt import LossCause, MqttClient, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

RecordedEvent = tuple[str, *tuple[object, ...]]


class RecordedEvents:
    """Records every callback about a lost or restored connection, network or module."""

    def __init__(self, modem: SimcomMqtt) -> None:
        self.recorded: list[RecordedEvent] = []
        self._modem = modem
        self._queue: queue.Queue[RecordedEvent] = queue.Queue()

        def lost(client: MqttClient, cause: LossCause) -> None:
            self._queue.put(("connection lost", client.index, cause))

        def reconnected(client: MqttClient) -> None:
            self._queue.put(("reconnected", client.index))

        modem.on_connection_lost = lost
        modem.on_reconnected = reconnected
        modem.on_network_lost = lambda: self._queue.put(("network lost",))
        modem.on_restart = lambda: self._queue.put(("restart",))

    def wait_for(self, *event: object, timeout: float = 30) -> None:
        """Returns once this event is recorded; earlier events are in `recorded`."""
        while not self.recorded or self.recorded[-1] != event:
            try:
                self.recorded.append(self._queue.get(timeout=timeout))
            except queue.Empty:
                raise AssertionError(f"no {event} within {timeout} s, only {self.recorded}") from None

    def wait_for_all(self, *events: RecordedEvent) -> None:
        """Returns once all of these events are recorded, in any order."""
        for event in events:
            if event not in self.recorded:
                self.wait_for(*event)

    def names(self, simulator: SimulatedModem) -> list[str]:
        """Returns the names of all events so far. A URC sent now marks the end of the queue of callbacks."""
        line = f"+SETTLED: {len(self.recorded)}"
        self._modem.on_urc = lambda line: self._queue.put(("settled", line))
        simulator.urc(line)
        self.wait_for("settled", line)
        return [event[0] for event in self.recorded if event[0] != "settled"]


class LogRecords(logging.Handler):
    """Records the driver's warnings and errors in the log while the `with` block runs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []
        self._queue: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Self:
        logging.getLogger("simcom_mqtt").addHandler(self)
        return self

    def __exit__(self, *exc: object) -> None:
        logging.getLogger("simcom_mqtt").removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        self._queue.put(record.getMessage())

    def wait_for(self, pattern: str, timeout: float = 30) -> re.Match[str]:
        """Returns the next log record that matches; earlier ones are in `texts`."""
        while True:
            try:
                self.texts.append(self._queue.get(timeout=timeout))
            except queue.Empty:
                raise AssertionError(f"no {pattern!r} within {timeout} s, only {self.texts}") from None
            if match := re.search(pattern, self.texts[-1]):
                return match
