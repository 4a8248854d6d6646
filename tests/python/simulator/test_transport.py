"""The transport: systems without pseudo-terminals, and forked children that hold the files of a module."""

import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mosquitto_broker import MosquittoBroker
from scripted_broker import DISCONNECT, ScriptedBroker
from simcom_mqtt.simulator import Replay, SimulatedModem
from simulator.wire import Wire

WITHOUT_PSEUDO_TERMINALS = """
import sys
for name in ("fcntl", "pty", "termios", "tty"):
    sys.modules[name] = None
from simcom_mqtt.simulator import Replay, SimulatedModem
"""


def run(script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a script on a system without pseudo-terminals."""
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_PSEUDO_TERMINALS + script, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@contextmanager
def forked_child() -> Iterator[None]:
    """A forked child that has inherited all files and waits."""
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork with threads is the subject of the test
        child = os.fork()
    if not child:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(reader)
    try:
        yield
    finally:
        os.close(writer)
        assert os.waitpid(child, 0)[1] == 0


class TestWithoutPseudoTerminals:
    def test_module_uses_tcp(self) -> None:
        finished = run("with SimulatedModem() as module: print(module.port)")
        assert (finished.stderr, finished.returncode) == ("", 0)
        assert finished.stdout.startswith("socket://127.0.0.1:")

    def test_pty_is_refused(self) -> None:
        finished = run("SimulatedModem(transport='pty')")
        assert 'this system has no pseudo-terminals: use the transport "tcp"' in finished.stderr

    def test_replay_uses_tcp(self, tmp_path: Path) -> None:
        transcript = tmp_path / "field.txt"
        transcript.write_text("0.000 > line AT\\r\n0.001 < line \\r\\nOK\\r\\n\n")
        finished = run("with Replay(sys.argv[1]) as replay: print(replay.port)", str(transcript))
        assert (finished.stderr, finished.returncode) == ("", 0)
        assert finished.stdout.startswith("socket://127.0.0.1:")


def test_replay_on_tcp_starts_when_a_host_connects(tmp_path: Path) -> None:
    transcript = tmp_path / "field.txt"
    transcript.write_text("0.000 < line \\r\\nRDY\\r\\n\n0.001 > line AT\\r\n0.002 < line \\r\\nOK\\r\\n\n")
    with Replay(transcript, transport="tcp") as replay, Wire(replay.port) as wire:
        wire.expect(b"\r\nRDY\r\n")
        wire.ask(b"AT", b"\r\nOK\r\n")
        assert replay.is_finished


class TestForkedChild:
    @pytest.mark.parametrize("transport", ["pty", "tcp"])
    def test_unplug_hangs_up_while_a_child_holds_the_port(
        self, mosquitto: MosquittoBroker, transport: str
    ) -> None:
        with SimulatedModem(broker=f"127.0.0.1:{mosquitto.plain}", transport=transport) as module:  # type: ignore[arg-type]
            with Wire(module.port) as wire:
                wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
                with forked_child():
                    module.unplug()
                    assert wire.is_hung_up()
                    module.plug()
            with Wire(module.port) as wire:
                wire.ask(b"AT", b"\r\nOK\r\n")

    def test_connection_ends_while_a_child_holds_the_socket(self) -> None:
        with ScriptedBroker() as broker:
            address = broker.url.removeprefix("mqtt://")
            with SimulatedModem(broker=address) as module, Wire(module.port) as wire:
                wire.send(b'ATE0\rAT+CMQTTSTART\rAT+CMQTTACCQ=0,"c"\rAT+CMQTTCONNECT=0,"tcp://host",60,1\r')
                wire.read_until(b"CONNECT: 0,0\r\n")
                with forked_child():
                    wire.ask(b"AT+CMQTTDISC=0", b"\r\nOK\r\n\r\n+CMQTTDISC: 0,0\r\n")
                    assert broker.wait_for(DISCONNECT)

    def test_child_that_exits_leaves_the_module_alone(self) -> None:
        script = """
import os, sys
from simcom_mqtt.simulator import SimulatedModem
module = SimulatedModem()
child = os.fork()
if not child:
    try:
        module.urc("from the child")
    except RuntimeError as error:
        print(error, flush=True)
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
module.urc("RING")
print(os.path.lexists(module.port), flush=True)
module.close()
"""
        finished = subprocess.run(
            [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert (finished.stderr, finished.returncode) == ("", 0)
        assert finished.stdout.splitlines() == ["this simulated module is closed", "True"]
