"""The device under test: the one module of this process, opened when it is first needed."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from pytest_simcom_mqtt.options import SIMULATOR, Options

if TYPE_CHECKING:
    from simcom_mqtt import SimcomMqtt
    from simcom_mqtt.simulator import SimulatedModem

# The driver keeps no more of them, so what a later callback raises would go unseen.
MOST_CALLBACK_ERRORS: Final = 100


class Facts(NamedTuple):
    """Who the module is, and how well it heard the network when it was opened."""

    port: str
    imei: str
    model: str
    firmware: str
    rssi_dbm: int | None


class Position(NamedTuple):
    """A place in the transcripts, of which there is one for each opening of the port."""

    transcript: int
    byte: int
    """How many bytes went over the line before it, both ways."""


class Reception(NamedTuple):
    """How a simulated module hears the network."""

    signal: tuple[int, int]
    cell: str


class Device:
    """Owns the driver's object and, if it is simulated, the module."""

    def __init__(self, port: str, config: pytest.Config) -> None:
        self.port = port
        self.simulated: SimulatedModem | None = None
        self.facts: Facts | None = None
        self.transcripts: list[Path] = []
        self._config = config
        self._reception: Reception
        self._modem: SimcomMqtt | None = None
        self._failure: Exception | None = None
        self._callback_errors: list[BaseException] = []
        self._callback_errors_taken = 0

    def open(self) -> SimcomMqtt:
        """The driver on the module; opens it the first time, and fails each time if that failed."""
        if self._failure is not None:
            raise self._failure
        if self._modem is not None:
            return self._modem
        try:
            return self._open()
        except Exception as error:
            self._failure = error
            self.close()
            raise

    def clean(self) -> SimcomMqtt:
        """The driver on a module without service, clients and callbacks, whatever was done with it before."""
        from pytest_simcom_mqtt.cleaning import tidy, tidy_simulator
        from simcom_mqtt import SimcomError

        modem = self.open()
        if self.simulated is not None:
            tidy_simulator(self.simulated, self._reception)
        if modem.is_open and len(modem.callback_errors) < MOST_CALLBACK_ERRORS:
            try:
                tidy(modem)
            except SimcomError:
                pass  # what the driver cannot put right it finds anew when it opens the port
            else:
                return modem
        modem.close()
        self._forget_modem()
        modem = self._connect()
        tidy(modem)
        return modem

    def position(self) -> Position:
        """Where in the transcripts the line is now."""
        if self._modem is None:
            return Position(0, 0)
        stats = self._modem.stats
        return Position(len(self.transcripts) - 1, stats.bytes_in + stats.bytes_out)

    def take_callback_errors(self) -> list[BaseException]:
        """What callbacks raised and was not taken before."""
        if self._modem is not None:
            raised = self._modem.callback_errors
            self._callback_errors += raised[self._callback_errors_taken :]
            self._callback_errors_taken = len(raised)
        taken, self._callback_errors = self._callback_errors, []
        return taken

    def close(self) -> None:
        """Give the port back, disconnected; a simulated module ends."""
        if self._modem is not None:
            self._modem.__exit__(None, None, None)
            self._forget_modem()
        if self.simulated is not None:
            self.simulated.close()
            self.simulated = None

    def _open(self) -> SimcomMqtt:
        if self.port == SIMULATOR:
            from simcom_mqtt.simulator import SimulatedModem

            self.simulated = SimulatedModem()
            self._reception = Reception(self.simulated.signal, self.simulated.cell)
        modem = self._connect()
        info, signal = modem.info(), modem.signal_quality()
        self.facts = Facts(self.port, info.imei, info.model, info.revision, signal.rssi_dbm)
        return modem

    def _connect(self) -> SimcomMqtt:
        from simcom_mqtt import SimcomMqtt

        path = self._next_transcript()
        port = self.port if self.simulated is None else self.simulated.port
        if path is not None:
            self.transcripts.append(path)
        self._modem = modem = SimcomMqtt(port, Options.of(self._config).baudrate, transcript=path)
        return modem

    def _forget_modem(self) -> None:
        self._callback_errors = self.take_callback_errors()
        self._callback_errors_taken = 0
        self._modem = None

    def _next_transcript(self) -> Path | None:
        worker = getattr(self._config, "workerinput", {}).get("workerid", "")
        parts = [re.sub(r"[^\w.-]+", "-", self.port).strip("-"), worker]
        if self.transcripts:
            parts.append(f"reopened-{len(self.transcripts)}")
        folder = Options.of(self._config).log_dir
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            return folder.absolute() / f"{time.strftime('%Y%m%d-%H%M%S')}-{'-'.join(filter(None, parts))}.txt"
        cache: pytest.Cache | None = getattr(self._config, "cache", None)
        if cache is None:
            return None
        return cache.mkdir("simcom") / f"{'-'.join(filter(None, parts))}.txt"


_DEVICE = pytest.StashKey[Device]()


def device_under_test(config: pytest.Config, port: str) -> Device:
    """The one of this process."""
    return config.stash.setdefault(_DEVICE, Device(port, config))


def device_in_use(config: pytest.Config) -> Device | None:
    """The device under test, if a test has asked for it already."""
    return config.stash.get(_DEVICE, None)
