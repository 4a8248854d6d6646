"""The host on the port: unplug and plug, output without a host, exclusive use."""

import fcntl
import os
import subprocess
import termios
from pathlib import Path

import pytest

from mosquitto_broker import MosquittoBroker
from simcom_mqtt.simulator import SimulatedModem
from simulator.wire import Wire

OK = b"\r\nOK\r\n"


class TestUnplug:
    @pytest.mark.parametrize("transport", ["pty", "tcp"])
    def test_port_name_survives_unplug_and_plug(self, mosquitto: MosquittoBroker, transport: str) -> None:
        broker = f"127.0.0.1:{mosquitto.plain}"
        with SimulatedModem(broker=broker, transport=transport) as module:  # type: ignore[arg-type]
            port = module.port
            with Wire(port) as wire:
                wire.ask(b"ATE0", b"ATE0\r" + OK)
                wire.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 0\r\n")
                module.unplug()
                module.unplug()
                assert wire.is_hung_up()
            with pytest.raises(OSError, match=r"No such file|refused"):
                Wire(port)
            module.urc("lost")
            module.plug()
            module.plug()
            assert module.port == port
            with Wire(port) as wire:
                wire.ask(b"AT+CMQTTREL?", OK)
        assert not Path(port).exists()

    def test_close_works_while_unplugged(self) -> None:
        with SimulatedModem() as module:
            module.unplug()


class TestHostOnThePort:
    def test_output_without_host_is_lost(self, module: SimulatedModem) -> None:
        module.urc("no host is present")
        with Wire(module.port) as wire:
            module.urc("a host is present")
            wire.expect(b"\r\na host is present\r\n")

    def test_unread_output_is_lost_when_host_closes(self, module: SimulatedModem) -> None:
        with Wire(module.port) as wire:
            wire.send(b"AT+CSQ\r")
            wire.expect(b"AT+CSQ\r")
        module.inject(b"")
        with Wire(module.port) as wire:
            wire.ask(b"AT", b"AT\r" + OK)

    def test_exclusive_use_ends_when_host_closes(self, module: SimulatedModem) -> None:
        terminal = Path(module.port).resolve()
        with Wire(module.port) as wire:
            terminal.chmod(0o666)
            fcntl.ioctl(wire.file, termios.TIOCEXCL)
            assert not self.another_user_can_open(terminal)
        module.inject(b"")
        assert self.another_user_can_open(terminal)

    def another_user_can_open(self, path: Path) -> bool:
        user = 65_534 if os.geteuid() == 0 else None  # root may open everything
        opening = subprocess.run(
            ["/bin/sh", "-c", f"exec 3<>{path}"], user=user, capture_output=True, check=False
        )
        return opening.returncode == 0
