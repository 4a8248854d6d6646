"""What a driver tells of its module, in the order in which it tells it, to be waited for."""

import logging
import queue
import re
from typing import Self

from simcom_mqtt import LossCause, MqttClient, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

Happening = tuple[str, *tuple[object, ...]]


class Happenings:
    """Takes every callback that tells of losses and returns."""

    def __init__(self, modem: SimcomMqtt) -> None:
        self.seen: list[Happening] = []
        self._modem = modem
        self._queue: queue.Queue[Happening] = queue.Queue()

        def lost(client: MqttClient, cause: LossCause) -> None:
            self._queue.put(("connection lost", client.index, cause))

        def reconnected(client: MqttClient) -> None:
            self._queue.put(("reconnected", client.index))

        modem.on_connection_lost = lost
        modem.on_reconnected = reconnected
        modem.on_network_lost = lambda: self._queue.put(("network lost",))
        modem.on_restart = lambda: self._queue.put(("restart",))

    def wait_for(self, *happening: object, timeout: float = 30) -> None:
        """Return once this has happened; whatever came before is in `seen`."""
        while not self.seen or self.seen[-1] != happening:
            try:
                self.seen.append(self._queue.get(timeout=timeout))
            except queue.Empty:
                raise AssertionError(f"no {happening} within {timeout} s, only {self.seen}") from None

    def wait_for_all(self, *happenings: Happening) -> None:
        """Return once all of these have happened, in whatever order."""
        for happening in happenings:
            if happening not in self.seen:
                self.wait_for(*happening)

    def names(self, simulator: SimulatedModem) -> list[str]:
        """What has happened so far, without details: all of it, since a line behind it is told, too."""
        line = f"+SETTLED: {len(self.seen)}"
        self._modem.on_urc = lambda line: self._queue.put(("settled", line))
        simulator.urc(line)
        self.wait_for("settled", line)
        return [happening[0] for happening in self.seen if happening[0] != "settled"]


class LogRecords(logging.Handler):
    """The driver's log while the `with` block runs."""

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
        """Return the next record that matches; those before it are only kept in `texts`."""
        while True:
            try:
                self.texts.append(self._queue.get(timeout=timeout))
            except queue.Empty:
                raise AssertionError(f"no {pattern!r} within {timeout} s, only {self.texts}") from None
            if match := re.search(pattern, self.texts[-1]):
                return match
