"""A module that sends endless output of any kind: memory stays bounded, and every call returns."""

import contextlib
import itertools
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest

from scripted_module import ScriptedModule
from simcom_mqtt import SimcomMqtt
from simcom_mqtt.errors import CommandError, CommandTimeoutError

MEBIBYTE = 1 << 20
FLOOD_TIME = 0.5
COMMAND_TIME = 0.5
# Seconds to recover the line before a command, and for a busy machine.
ALLOWANCE = 5
URC = b"\r\n+CGEV: ME PDN ACT 1\r\n"


class Flood:
    """Repeats a pattern on the line while the `with` block runs, as fast as the host reads it."""

    def __init__(self, module: ScriptedModule, pattern: bytes) -> None:
        self.count = 0
        self.stop = threading.Event()
        self._pattern = pattern
        self._module = module
        self._thread = threading.Thread(target=self._pour)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop.set()
        self._thread.join()

    def _pour(self) -> None:
        repeated = max(1, 4096 // len(self._pattern))
        rest = chunk = self._pattern * repeated
        while not self.stop.is_set():
            rest = rest[self._module.say_some(rest) :]
            if not rest:
                self.count += repeated
                rest = chunk


@pytest.fixture(autouse=True)
def _no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Turns logging off: pytest keeps every record, and the test would measure that memory too."""
    caplog.set_level(logging.CRITICAL, "simcom_mqtt")


@pytest.fixture
def module() -> Iterator[ScriptedModule]:
    with ScriptedModule() as module:
        yield module


@pytest.fixture
def modem(module: ScriptedModule) -> Iterator[SimcomMqtt]:
    """The driver, which must close in time."""
    modem = SimcomMqtt(module.port, command_timeout=COMMAND_TIME)
    yield modem
    begun = time.monotonic()
    modem.close()
    assert time.monotonic() - begun < ALLOWANCE


def resident_bytes() -> int:
    """Returns the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def duration_of(command: Callable[[], object]) -> float:
    """Returns how long a command took, successful or not."""
    begun = time.monotonic()
    with contextlib.suppress(CommandError, CommandTimeoutError):
        command()
    return time.monotonic() - begun


def wait_until_understood(modem: SimcomMqtt) -> None:
    """Waits until a command is answered: the last bytes may look like part of a message for a while."""
    for _ in range(20):
        try:
            modem.command("AT+CSQ")
        except (CommandError, CommandTimeoutError):
            continue
        return
    raise AssertionError("no command is answered any more")


def random_bytes() -> bytes:
    return random.Random(7).randbytes(64 * 1024)  # noqa: S311 - garbage, always the same


PATTERNS = {
    "garbage": random_bytes(),
    "a line without an end": b"x",
    "blank lines": b"\r\n",
    "prompts": b"\r\n> ",
    "echoes without a command": b"AT+CMQTTPUB=0,1,60\r\r\n",
    "results without a command": b"\r\n+CMQTTPUB: 0,0\r\n\r\n+CMQTTSUB: 1,0\r\n\r\n+CMQTTCONNECT: 0,31\r\n",
    "answers without a command": b"\r\nOK\r\n\r\nERROR\r\n",
    "lengths beyond all limits": b"\r\n+CMQTTRXSTART: 0,99999,99999\r\n",
    "negative lengths": b"\r\n+CMQTTRXSTART: 0,-1,-1\r\n+CMQTTRXTOPIC: 0,-1\r\n",
    "huge lengths": b"\r\n+CMQTTRXSTART: 0,18446744073709551616,1\r\n+CMQTTRXTOPIC: 0,4294967296\r\n",
    "blocks that never end": b"\r\n+CMQTTRXSTART: 0,1024,10240\r\n+CMQTTRXTOPIC: 0,1024\r\n" + b"t" * 900,
    "parts without a message": b"+CMQTTRXPAYLOAD: 1,10240\r\n",
    "ends without a message": b"+CMQTTRXEND: 1\r\n",
    "lost connections": b"\r\n+CMQTTCONNLOST: 0,1\r\n\r\n+CMQTTNONET\r\n",
    "boots": b"\r\nRDY\r\n",
}


@pytest.mark.parametrize("name", PATTERNS)
def test_endless_output_costs_bounded_memory_and_blocks_no_call(
    name: str, module: ScriptedModule, modem: SimcomMqtt
) -> None:
    modem.on_urc = lambda _: None
    modem.on_message_lost = lambda _client, _reason: None
    modem.on_connection_lost = lambda _client, _cause: None
    before = resident_bytes()
    with Flood(module, PATTERNS[name]) as flood:
        end = time.monotonic() + FLOOD_TIME
        while time.monotonic() < end:
            assert (
                duration_of(lambda: modem.command("AT+CSQ", timeout=COMMAND_TIME)) < COMMAND_TIME + ALLOWANCE
            )
        grown = resident_bytes() - before

    assert flood.count > 0
    assert grown < 96 * MEBIBYTE, f"{grown / MEBIBYTE:.1f} MiB more for {flood.count} times {name}"
    module.say(b"\r\n")
    wait_until_understood(modem)


def test_transcript_of_an_endless_line_costs_bounded_memory(module: ScriptedModule, tmp_path: Path) -> None:
    with SimcomMqtt(module.port, transcript=tmp_path / "transcript"):
        before = resident_bytes()
        with Flood(module, b"x") as flood:
            flood.stop.wait(FLOOD_TIME)
            grown = resident_bytes() - before
        assert grown < 32 * MEBIBYTE, f"{grown / MEBIBYTE:.1f} MiB more for {flood.count} bytes"


def test_flood_of_urcs_costs_bounded_memory(module: ScriptedModule, modem: SimcomMqtt) -> None:
    before = resident_bytes()
    lines = itertools.count()
    modem.on_urc = lambda _: next(lines)
    with Flood(module, URC) as flood:
        flood.stop.wait(2 * FLOOD_TIME)
        commands = [duration_of(lambda: modem.command("AT+CSQ", timeout=COMMAND_TIME)) for _ in range(3)]
        grown = resident_bytes() - before

    logging.getLogger(__name__).info("%d lines, %.1f MiB more", flood.count, grown / MEBIBYTE)
    assert flood.count > 2_000
    assert max(commands) < COMMAND_TIME + ALLOWANCE
    assert grown < 128 * MEBIBYTE
    wait_until_understood(modem)


def test_overflow_of_the_callback_queue_is_counted_and_reported(module: ScriptedModule) -> None:
    flooded, release, was_reported = threading.Event(), threading.Event(), threading.Event()
    losses: list[tuple[int | None, str]] = []
    lines = 0

    def take_line(_: str) -> None:
        nonlocal lines
        lines += 1
        flooded.set()
        release.wait(30)

    def take_loss(client: int | None, reason: str) -> None:
        losses.append((client, reason))
        was_reported.set()

    with SimcomMqtt(module.port, queue_size=100) as modem:
        modem.on_urc, modem.on_message_lost = take_line, take_loss
        module.say(URC)
        assert flooded.wait(30)
        for _ in range(10):
            module.say(URC * 100)
        modem.command("AT")  # the answer comes after the URCs
        assert modem.stats.dropped_messages > 0
        release.set()

        assert was_reported.wait(30)
        assert losses[0][0] is None
        assert "the queue was full" in losses[0][1]
        assert lines + modem.stats.dropped_messages <= 1001


def test_network_loss_is_reported_although_the_queue_is_full(module: ScriptedModule) -> None:
    flooded, release, reported = threading.Event(), threading.Event(), threading.Event()

    def take_line(_: str) -> None:
        flooded.set()
        release.wait(30)

    with SimcomMqtt(module.port, queue_size=10) as modem:
        modem.on_urc, modem.on_network_lost = take_line, reported.set
        module.say(URC)
        assert flooded.wait(30)
        module.say(URC * 100 + b"\r\n+CMQTTNONET\r\n")
        modem.command("AT")
        release.set()

        assert reported.wait(30)
