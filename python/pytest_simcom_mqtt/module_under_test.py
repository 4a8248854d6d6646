"""The module under test: one a process, opened when a test first needs it."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest

from pytest_simcom_mqtt.options import SIMULATOR, Options

if TYPE_CHECKING:
    from pytest_simcom_mqtt.cleaning import Reception
    from simcom_mqtt import SimcomMqtt
    from simcom_mqtt.simulator import SimulatedModem

MOST_CALLBACK_ERRORS: Final = 100
"""The driver stores no more exceptions: when it is full, the plugin opens the port again."""


class Identity(NamedTuple):
    """The identity of the module, and its signal at the time of opening."""

    port: str
    imei: str
    model: str
    firmware: str
    rssi_dbm: int | None


class TranscriptPosition(NamedTuple):
    """A position in the transcripts. Each opening of the port begins a new one."""

    transcript: int
    byte: int
    """Number of bytes on the line before it, in both directions."""


class ModuleUnderTest:
    """Owns the driver's object and, if the module is simulated, the module."""

    def __init__(self, port: str, config: pytest.Config) -> None:
        self.port = port
        self.simulated: SimulatedModem | None = None
        self.identity: Identity | None = None
        self.transcripts: list[Path] = []
        self._config = config
        self._reception: Reception
        self._modem: SimcomMqtt | None = None
        self._failure: Exception | None = None
        self._callback_errors: list[BaseException] = []
        self._callback_errors_taken = 0

    def open(self) -> SimcomMqtt:
        """Return the driver on the module. If the first call cannot open it, each call fails."""
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
        """Return the driver on a module without service, clients and callbacks, opened again if necessary."""
        from pytest_simcom_mqtt.cleaning import clean, clean_simulator
        from simcom_mqtt import SimcomError

        modem = self.open()
        if self.simulated is not None:
            clean_simulator(self.simulated, self._reception)
        if modem.is_open and len(modem.callback_errors) < MOST_CALLBACK_ERRORS:
            try:
                clean(modem)
            except SimcomError:
                pass  # opening the port again may help
            else:
                return modem
        modem.close()
        self._drop_modem()
        modem = self._connect()
        clean(modem)
        return modem

    def position(self) -> TranscriptPosition:
        """Return the present position in the transcripts."""
        if self._modem is None:
            return TranscriptPosition(0, 0)
        stats = self._modem.stats
        return TranscriptPosition(len(self.transcripts) - 1, stats.bytes_in + stats.bytes_out)

    def take_callback_errors(self) -> list[BaseException]:
        """Return the exceptions of callbacks that were not taken before."""
        if self._modem is not None:
            raised = self._modem.callback_errors
            self._callback_errors += raised[self._callback_errors_taken :]
            self._callback_errors_taken = len(raised)
        taken, self._callback_errors = self._callback_errors, []
        return taken

    def close(self) -> None:
        """Disconnect and close the port; stop a simulated module."""
        if self._modem is not None:
            self._modem.__exit__(None, None, None)
            self._drop_modem()
        if self.simulated is not None:
            self.simulated.close()
            self.simulated = None

    def _open(self) -> SimcomMqtt:
        if self.port == SIMULATOR:
            from pytest_simcom_mqtt.cleaning import Reception
            from simcom_mqtt.simulator import SimulatedModem

            self.simulated = SimulatedModem()
            self._reception = Reception(self.simulated.signal, self.simulated.cell)
        modem = self._connect()
        info, signal = modem.info(), modem.signal_quality()
        self.identity = Identity(self.port, info.imei, info.model, info.revision, signal.rssi_dbm)
        return modem

    def _connect(self) -> SimcomMqtt:
        from simcom_mqtt import SimcomMqtt

        path = self._next_transcript()
        port = self.port if self.simulated is None else self.simulated.port
        if path is not None:
            self.transcripts.append(path)
        self._modem = modem = SimcomMqtt(port, Options.of(self._config).baudrate, transcript=path)
        return modem

    def _drop_modem(self) -> None:
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


_MODULE = pytest.StashKey[ModuleUnderTest]()


def module_under_test(config: pytest.Config, port: str) -> ModuleUnderTest:
    """Return the module under test of this process."""
    return config.stash.setdefault(_MODULE, ModuleUnderTest(port, config))


def module_in_use(config: pytest.Config) -> ModuleUnderTest | None:
    """Return the module under test; None: no test has asked for it yet."""
    return config.stash.get(_MODULE, None)
