"""Ctrl-C ends any wait, and a script without `close()` ends well: both seen from outside, as processes."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scripted_broker import CONNECT, PUBLISH, SUBSCRIBE, ScriptedBroker
from scripted_module import ScriptedModule
from simcom_mqtt.simulator import SimulatedModem

LONGEST_WAIT = 0.1
# Between the signal and the end stand the interpreter's own steps: a slow machine gets some time for those.
ALLOWANCE = 0.1

PRELUDE = """
import sys, time
from simcom_mqtt import ClosedError, SimcomMqtt
"""
INTERRUPTED = """
try:
    print("waiting", flush=True)
    {wait}
except KeyboardInterrupt:
    print("interrupted", time.monotonic(), flush=True)
"""


@contextmanager
def script(source: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process that runs the source, and does not outlive the block."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PRELUDE + source, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def interrupt(process: subprocess.Popen[str]) -> float:
    """Send Ctrl-C to a script that waits, and tell how long it took to notice."""
    sent = time.monotonic()
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=8)
    noticed = re.search("^interrupted (.*)$", output, re.MULTILINE)
    assert noticed, (output, errors)
    return float(noticed[1]) - sent


@pytest.mark.parametrize(
    ("wait", "packet_type"),
    [
        ("client.connect(sys.argv[2])", CONNECT),
        ("client.connect(sys.argv[2]); client.publish('a/b', b'x', 1)", PUBLISH),
        ("client.connect(sys.argv[2]); client.publish_nowait('a/b', b'x', 1).result()", PUBLISH),
        ("client.connect(sys.argv[2]); client.subscribe('a/b', 1)", SUBSCRIBE),
    ],
)
def test_while_the_broker_is_waited_for(simulator: SimulatedModem, wait: str, packet_type: int) -> None:
    source = "modem = SimcomMqtt(sys.argv[1]); modem.start(); client = modem.acquire('dut')"
    source += INTERRUPTED.format(wait=wait)
    with (
        ScriptedBroker(silent_on=packet_type) as broker,
        script(source, simulator.port, broker.url) as process,
    ):
        broker.wait_for(packet_type)
        assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


@pytest.mark.parametrize(
    "wait",
    [
        "client.wait_for_message(timeout=9)",
        "client.capture().get(timeout=9)",
        "client.capture().wait_count(1, timeout=9)",
        "next(client.messages())",
    ],
)
def test_while_a_message_is_waited_for(simulator: SimulatedModem, broker_url: str, wait: str) -> None:
    source = "modem = SimcomMqtt(sys.argv[1]); client = modem.connect(sys.argv[2])"
    with script(source + INTERRUPTED.format(wait=wait), simulator.port, broker_url) as process:
        assert process.stdout
        assert process.stdout.readline() == "waiting\n"
        assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


@pytest.mark.parametrize(
    "wait", ["modem.command('AT+CPIN?', timeout=9)", "modem.wait_for_network(timeout=9)"]
)
def test_while_the_module_is_waited_for(wait: str) -> None:
    with ScriptedModule({"AT+CPIN?": b"", "AT+CEREG?": b"", "AT+CGACT?": b"", "AT+CPSI?": b""}) as module:
        source = "modem = SimcomMqtt(sys.argv[1])"
        with script(source + INTERRUPTED.format(wait=wait), module.port) as process:
            assert process.stdout
            assert process.stdout.readline() == "waiting\n"
            assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


def test_while_the_port_is_opened() -> None:
    source = INTERRUPTED.format(wait="SimcomMqtt(sys.argv[1])")
    with ScriptedModule(mute=True) as module, script(source, module.port) as process:
        module.wait_for_command("AT")
        assert interrupt(process) < LONGEST_WAIT + ALLOWANCE


@pytest.mark.parametrize(
    "source",
    [
        "modem = SimcomMqtt(sys.argv[1])",
        "modem = SimcomMqtt(sys.argv[1]); client = modem.connect(sys.argv[2]); client.on_message = print",
        # A callback that is at work when the script ends.
        """
import threading
entered = threading.Event()
modem = SimcomMqtt(sys.argv[1])
client = modem.connect(sys.argv[2])
def work(message):
    entered.set()
    try:
        client.wait_for_message(timeout=60)
    except ClosedError:
        pass
client.subscribe("exit/" + client.client_id, 1, callback=work)
client.publish("exit/" + client.client_id, b"", 1)
entered.wait()
""",
        # Publishes that are still queued.
        """
modem = SimcomMqtt(sys.argv[1])
client = modem.connect(sys.argv[2])
futures = [client.publish_nowait("exit/queued", b"x" * 4096, 2) for _ in range(100)]
""",
        # A log that is written at the end.
        """
import logging
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
modem = SimcomMqtt(sys.argv[1])
modem.connect(sys.argv[2]).publish("exit/logged", b"x")
""",
    ],
    ids=["opened", "connected", "in a callback", "publishing", "logging"],
)
def test_a_script_without_close_ends_well(simulator: SimulatedModem, broker_url: str, source: str) -> None:
    with script(source, simulator.port, broker_url) as process:
        _, errors = process.communicate(timeout=9)

    assert (process.returncode, errors) == (0, "")


def test_an_unhandled_exception_ends_a_script_as_ever(simulator: SimulatedModem, broker_url: str) -> None:
    source = "modem = SimcomMqtt(sys.argv[1]); modem.connect(sys.argv[2]); raise SystemExit(3)"
    with script(source, simulator.port, broker_url) as process:
        process.communicate(timeout=9)

    assert process.returncode == 3
