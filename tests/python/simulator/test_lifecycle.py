"""Life cycle of a simulated module: close, reset, timeouts, and the program."""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from scripted_broker import CONNECT, PUBLISH, ScriptedBroker
from simcom_mqtt.install_command import install_command
from simcom_mqtt.simulator import SimulatedModem, event_loop
from simulator.wire import Wire


def open_resources() -> set[threading.Thread | str]:
    """Return the threads and open files of this process."""
    found: set[threading.Thread | str] = set(threading.enumerate())
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.add(f"{entry.name} {entry.readlink()}")
        except FileNotFoundError:
            continue
    return found


@pytest.mark.parametrize("transport", ["pty", "tcp"])
def test_close_leaves_no_thread_or_file(
    transport: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = open_resources()
    with ScriptedBroker(silent_on=PUBLISH) as broker:
        module = SimulatedModem(broker=broker.url.removeprefix("mqtt://"), transport=transport)  # type: ignore[arg-type]
        with module, Wire(module.port) as wire:
            wire.send(b'ATE0\rAT+CMQTTSTART\rAT+CMQTTACCQ=0,"c"\rAT+CMQTTCONNECT=0,"tcp://host",60,1\r')
            wire.read_until(b"CONNECT: 0,0\r\n")
            wire.enter(b"AT+CMQTTTOPIC=0,1", b"t")
            wire.ok(b"AT+CMQTTPUB=0,1,60")
        module.close()
    assert open_resources() <= before
    assert list(tmp_path.iterdir()) == []


def test_dropped_module_warns_and_is_closed() -> None:
    before = open_resources()
    module = weakref.proxy(abandoned := SimulatedModem())
    with pytest.warns(ResourceWarning, match=f"unclosed simulated modem on {module.port}"):
        del abandoned
    assert open_resources() <= before


def test_closed_module_raises() -> None:
    module = SimulatedModem()
    module.close()
    with pytest.raises(RuntimeError, match="closed"):
        module.reset()


@pytest.mark.parametrize("broker", ["host", "host:", ":1883", "host:0", "host:65536", "host:x"])
def test_invalid_broker_is_refused(broker: str) -> None:
    with pytest.raises(ValueError, match='broker must be "host:port"'):
        SimulatedModem(broker=broker)


def test_unknown_transport_is_refused() -> None:
    before = open_resources()
    with pytest.raises(ValueError, match='transport must be "pty", "tcp" or None'):
        SimulatedModem(transport="usb")  # type: ignore[arg-type]
    gc.collect()
    assert open_resources() <= before


def test_reset_clears_everything(module: SimulatedModem, connected: Wire) -> None:
    connected.enter(b'AT+CCERTDOWN="ca.pem",1', b"c")
    connected.ask(b"AT+CMQTTPAYLOAD=0,10", b"\r\n>")
    module.reset()
    assert module.received == []
    connected.ask(b"AT+CCERTLIST", b"AT+CCERTLIST\r\r\nOK\r\n")
    connected.ask(b"AT+CMQTTREL?", b"AT+CMQTTREL?\r\r\nERROR\r\n")


class TestTimeouts:
    """The module's timeouts last minutes, so the tests advance its clock."""

    @pytest.fixture
    def wait(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[SimulatedModem, float], None]:
        skipped = 0.0

        def pass_time(module: SimulatedModem, seconds: float) -> None:
            nonlocal skipped
            skipped += seconds
            module._loop.call(lambda: None)

        monkeypatch.setattr(event_loop, "monotonic", lambda: time.monotonic() + skipped)
        return pass_time

    @pytest.mark.parametrize(("silent_on", "seconds"), [(CONNECT, 120), (PUBLISH, 60), (8, 120), (10, 120)])
    def test_operation_times_out_when_broker_is_silent(
        self, wait: Callable[[SimulatedModem, float], None], silent_on: int, seconds: int
    ) -> None:
        with ScriptedBroker(silent_on=silent_on) as broker:
            address = broker.url.removeprefix("mqtt://")
            with SimulatedModem(broker=address) as module, Wire(module.port) as wire:
                wire.send(b'ATE0\rAT+CMQTTSTART\rAT+CMQTTACCQ=0,"c"\r')
                wire.send(b'AT+CMQTTCONNECT=0,"tcp://host",3600,1\r')
                name = b"CONNECT"
                if silent_on != CONNECT:
                    wire.read_until(b"CONNECT: 0,0\r\n")
                    wire.enter(b"AT+CMQTTTOPIC=0,1", b"t")
                    name = {PUBLISH: b"PUB", 8: b"SUB", 10: b"UNSUB"}[silent_on]
                    wire.send({b"PUB": b"AT+CMQTTPUB=0,1,60\r"}.get(name, b"AT+CMQTT%b=0,1,0\rt" % name))
                    wire.read_until(b"OK\r\n")
                broker.wait_for(silent_on)
                if silent_on == CONNECT:
                    wire.read_until(b"START: 0\r\n\r\nOK\r\n\r\nOK\r\n")
                wait(module, seconds - 1)
                wire.expect_nothing()
                wait(module, 1)
                wire.expect(b"\r\n+CMQTT%b: 0,17\r\n" % name)
                if silent_on != CONNECT:
                    broker.speak_again()
                    wire.enter(b"AT+CMQTTUNSUB=0,1,0", b"t", b"\r\nOK\r\n\r\n+CMQTTUNSUB: 0,0\r\n")


class TestProgram:
    def run(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "simcom_mqtt.simulator", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @pytest.mark.parametrize(
        "arguments", [[], ["--tcp", "0", "--broker", "127.0.0.1:1883"], ["--fault", "pin"]]
    )
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_program_prints_port_and_serves(self, arguments: list[str], number: int) -> None:
        with self.run(*arguments) as process:
            assert process.stdout is not None
            port = process.stdout.readline().strip()
            with Wire(port) as wire:
                state = b"SIM PIN" if "pin" in arguments else b"READY"
                wire.ask(b"AT+CPIN?", b"AT+CPIN?\r\r\n+CPIN: %b\r\n\r\nOK\r\n" % state)
            process.send_signal(number)
            assert process.communicate(timeout=30) == ("", "")
        assert process.returncode == 0
        assert not os.path.lexists(port)

    def test_program_names_invalid_argument(self) -> None:
        with self.run("--broker", "nonsense") as process:
            output, errors = process.communicate(timeout=30)
        assert (output, process.returncode) == ("", 2)
        assert 'broker must be "host:port"' in errors
        assert "Traceback" not in errors

    def test_program_without_paho_names_package_to_install(self, tmp_path: Path) -> None:
        (tmp_path / "paho.py").write_text("raise ModuleNotFoundError(name='paho')")
        environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
        finished = subprocess.run(
            [sys.executable, "-m", "simcom_mqtt.simulator"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert finished.returncode == 1
        assert install_command("simulator") in finished.stderr
        assert len(finished.stderr.splitlines()) == 1
