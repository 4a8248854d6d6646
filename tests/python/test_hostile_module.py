"""A module that says anything at all, without end: it costs bounded memory, and no caller is stuck."""

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
FLOOD_TIME = 1.0
COMMAND_TIME = 0.5
# Recovering the line before a command, and what a busy machine takes.
LONGER = 5
URC = b"\r\n+CGEV: ME PDN ACT 1\r\n"


class Flood:
    """Puts a pattern on the line over and over while the `with` block runs, as fast as it is read."""

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
    """Pytest keeps every record, which would be measured too."""
    caplog.set_level(logging.CRITICAL, "simcom_mqtt")


@pytest.fixture
def module() -> Iterator[ScriptedModule]:
    with ScriptedModule() as module:
        yield module


@pytest.fixture
def modem(module: ScriptedModule) -> Iterator[SimcomMqtt]:
    """The driver, which has to close in the time that it promises."""
    modem = SimcomMqtt(module.port, command_timeout=COMMAND_TIME)
    yield modem
    begun = time.monotonic()
    modem.close()
    assert time.monotonic() - begun < LONGER


def resident() -> int:
    """The bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def ends(command: Callable[[], object]) -> float:
    """How long a command took, whatever it came to."""
    begun = time.monotonic()
    with contextlib.suppress(CommandError, CommandTimeoutError):
        command()
    return time.monotonic() - begun


def expect_understanding(modem: SimcomMqtt) -> None:
    """It may take a while until what came last cannot be part of a message any more."""
    for _ in range(20):
        try:
            modem.command("AT+CSQ")
        except (CommandError, CommandTimeoutError):
            continue
        return
    raise AssertionError("the module is not understood any more")


def random_bytes() -> bytes:
    return random.Random(7).randbytes(64 * 1024)  # noqa: S311 - garbage, always the same


PATTERNS = {
    "garbage": random_bytes(),
    "a line without an end": b"x",
    "blank lines": b"\r\n",
    "prompts": b"\r\n> ",
    "echoes of what was never sent": b"AT+CMQTTPUB=0,1,60\r\r\n",
    "results for nobody": b"\r\n+CMQTTPUB: 0,0\r\n\r\n+CMQTTSUB: 1,0\r\n\r\n+CMQTTCONNECT: 0,31\r\n",
    "answers to nothing": b"\r\nOK\r\n\r\nERROR\r\n",
    "lengths beyond all limits": b"\r\n+CMQTTRXSTART: 0,99999,99999\r\n",
    "negative lengths": b"\r\n+CMQTTRXSTART: 0,-1,-1\r\n+CMQTTRXTOPIC: 0,-1\r\n",
    "huge lengths": b"\r\n+CMQTTRXSTART: 0,18446744073709551616,1\r\n+CMQTTRXTOPIC: 0,4294967296\r\n",
    "blocks that never end": b"\r\n+CMQTTRXSTART: 0,1024,10240\r\n+CMQTTRXTOPIC: 0,1024\r\n" + b"t" * 900,
    "parts of nothing": b"+CMQTTRXPAYLOAD: 1,10240\r\n",
    "ends of nothing": b"+CMQTTRXEND: 1\r\n",
    "lost connections": b"\r\n+CMQTTCONNLOST: 0,1\r\n\r\n+CMQTTNONET\r\n",
    "boots": b"\r\nRDY\r\n",
}


@pytest.mark.parametrize("name", PATTERNS)
def test_what_never_ends(name: str, module: ScriptedModule, modem: SimcomMqtt) -> None:
    modem.on_urc = lambda _: None
    modem.on_message_lost = lambda _client, _why: None
    modem.on_connection_lost = lambda _client, _cause: None
    before = resident()
    with Flood(module, PATTERNS[name]) as flood:
        end = time.monotonic() + FLOOD_TIME
        while time.monotonic() < end:
            assert ends(lambda: modem.command("AT+CSQ", timeout=COMMAND_TIME)) < COMMAND_TIME + LONGER
        grown = resident() - before

    assert flood.count > 0
    assert grown < 96 * MEBIBYTE, f"{grown / MEBIBYTE:.1f} MiB more for {flood.count} times {name}"
    module.say(b"\r\n")
    expect_understanding(modem)


def test_a_transcript_of_what_never_ends(module: ScriptedModule, tmp_path: Path) -> None:
    with SimcomMqtt(module.port, transcript=tmp_path / "transcript"):
        before = resident()
        with Flood(module, b"x") as flood:
            flood.stop.wait(FLOOD_TIME)
            grown = resident() - before
        assert grown < 32 * MEBIBYTE, f"{grown / MEBIBYTE:.1f} MiB more for {flood.count} bytes"


def test_a_flood_of_unsolicited_lines(module: ScriptedModule, modem: SimcomMqtt) -> None:
    before = resident()
    told = itertools.count()
    modem.on_urc = lambda _: next(told)
    with Flood(module, URC) as flood:
        flood.stop.wait(4)
        commands = [ends(lambda: modem.command("AT+CSQ", timeout=COMMAND_TIME)) for _ in range(3)]
        grown = resident() - before

    logging.getLogger(__name__).info("%d lines, %.1f MiB more", flood.count, grown / MEBIBYTE)
    assert flood.count > 10_000
    assert max(commands) < COMMAND_TIME + LONGER
    assert grown < 128 * MEBIBYTE
    expect_understanding(modem)


def test_a_queue_of_unsolicited_lines_that_overflows_is_counted_and_told(module: ScriptedModule) -> None:
    flooded, may_go_on, has_heard = threading.Event(), threading.Event(), threading.Event()
    losses: list[tuple[int | None, str]] = []
    lines = 0

    def take_line(_: str) -> None:
        nonlocal lines
        lines += 1
        flooded.set()
        may_go_on.wait(30)

    def take_loss(client: int | None, why: str) -> None:
        losses.append((client, why))
        has_heard.set()

    with SimcomMqtt(module.port, queue_size=100) as modem:
        modem.on_urc, modem.on_message_lost = take_line, take_loss
        module.say(URC)
        assert flooded.wait(30)
        for _ in range(10):
            module.say(URC * 100)
        modem.command("AT")  # answered behind them
        assert modem.stats.dropped_messages > 0
        may_go_on.set()

        assert has_heard.wait(30)
        assert losses[0][0] is None
        assert "the queue was full" in losses[0][1]
        assert lines + modem.stats.dropped_messages <= 1001


def test_a_lost_connection_is_told_though_the_queue_is_full(module: ScriptedModule) -> None:
    flooded, may_go_on, told = threading.Event(), threading.Event(), threading.Event()

    def take_line(_: str) -> None:
        flooded.set()
        may_go_on.wait(30)

    with SimcomMqtt(module.port, queue_size=10) as modem:
        modem.on_urc, modem.on_network_lost = take_line, told.set
        module.say(URC)
        assert flooded.wait(30)
        module.say(URC * 100 + b"\r\n+CMQTTNONET\r\n")
        modem.command("AT")
        may_go_on.set()

        assert told.wait(30)
