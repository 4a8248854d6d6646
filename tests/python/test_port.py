"""Opening and closing ports: missing, busy, mute, dropped."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mosquitto_broker import free_ports
from scripted_module import ScriptedModule
from simcom_mqtt import (
    ClosedError,
    CommandTimeoutError,
    PortError,
    SimcomMqtt,
    list_ports,
)
from simcom_mqtt.simulator import SimulatedModem


def test_missing_port_raises_port_error(tmp_path: Path) -> None:
    missing = str(tmp_path / "ttyUSB2")

    with pytest.raises(PortError, match="ttyUSB2") as failed:
        SimcomMqtt(missing)

    assert isinstance(failed.value, OSError)


def test_busy_port_raises_port_error(simulator: SimulatedModem) -> None:
    with SimcomMqtt(simulator.port) as first:
        with pytest.raises(PortError) as refused:
            SimcomMqtt(simulator.port)

        assert simulator.port in str(refused.value)
        assert first.command("AT") == []


def test_file_that_is_no_port_raises_port_error(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a port")

    with pytest.raises(PortError, match=r"notes\.txt"):
        SimcomMqtt(str(file))


def test_socket_without_listener_raises_port_error() -> None:
    (port,) = free_ports(1)

    with pytest.raises(PortError, match=str(port)):
        SimcomMqtt(f"socket://127.0.0.1:{port}")


def test_mute_port_error_says_what_to_check() -> None:
    with ScriptedModule(mute=True) as module:
        with pytest.raises(CommandTimeoutError) as silent:
            SimcomMqtt(module.port)

        assert silent.value.command == "AT"
        assert module.port in str(silent.value)
        for hint in ("baud", "power"):
            assert hint in str(silent.value).lower()


def test_channel_is_usable_after_an_unanswered_command() -> None:
    with ScriptedModule({"AT+CPIN?": b""}) as module, SimcomMqtt(module.port) as modem:
        with pytest.raises(CommandTimeoutError) as silent:
            modem.command("AT+CPIN?", timeout=0.2)

        assert silent.value.command == "AT+CPIN?"
        assert modem.command("AT+CSQ", timeout=5) == []


def test_module_works_over_tcp() -> None:
    with SimulatedModem(transport="tcp") as module:
        assert module.port.startswith("socket://")
        with SimcomMqtt(module.port) as modem:
            assert modem.info().imei.isdigit()


def test_open_switches_echo_off(simulator: SimulatedModem) -> None:
    with SimcomMqtt(simulator.port) as modem:
        assert modem.port == simulator.port
        assert "ATE0" in simulator.received


def test_open_retries_after_garbage() -> None:
    with ScriptedModule({"AT": b"\xff\x00\r\nERR"}) as module:
        opening = ThreadPoolExecutor(1).submit(SimcomMqtt, module.port)
        module.wait_for_command("AT")
        module.answers["AT"] = b"\r\nOK\r\n"

        with opening.result(30) as modem:
            assert modem.is_open


def test_close_twice_then_commands_raise_closed_error(simulator: SimulatedModem) -> None:
    modem = SimcomMqtt(simulator.port)
    assert modem.is_open

    modem.close()
    modem.close()

    assert not modem.is_open
    with pytest.raises(ClosedError):
        modem.command("AT")
    with SimcomMqtt(simulator.port) as again:
        assert again.command("AT") == []


def test_command_on_a_vanished_port_raises_port_error() -> None:
    module = ScriptedModule()
    with module:
        modem = SimcomMqtt(module.port)
    # The end of the block closed the module's end of the line.

    with pytest.raises(PortError):
        modem.command("AT")
    modem.close()


def test_exit_of_block_disconnects_releases_and_stops(simulator: SimulatedModem, broker_url: str) -> None:
    with SimcomMqtt(simulator.port) as modem:
        modem.connect(broker_url)
        modem.connect(broker_url)

    with SimcomMqtt(simulator.port) as modem:
        assert not modem.is_started()
    undone = [line.partition(",")[0] for line in simulator.received if re.search("DISC=.|REL=.|STOP", line)]
    assert sorted(line for line in undone if not line.endswith("?")) == [
        "AT+CMQTTDISC=0",
        "AT+CMQTTDISC=1",
        "AT+CMQTTREL=0",
        "AT+CMQTTREL=1",
        "AT+CMQTTSTOP",
    ]


def test_exit_of_block_keeps_clients_of_others(simulator: SimulatedModem) -> None:
    first = SimcomMqtt(simulator.port)
    first.start()
    first.acquire("found")
    first.close()

    with SimcomMqtt(simulator.port) as second:
        assert [client.client_id for client in second.clients()] == ["found"]

    with SimcomMqtt(simulator.port) as third:
        assert third.is_started()
        assert [client.client_id for client in third.clients()] == ["found"]


def test_exit_of_block_does_not_hide_the_exception(simulator: SimulatedModem, broker_url: str) -> None:
    def work() -> None:
        with SimcomMqtt(simulator.port) as modem, modem.connect(broker_url):
            simulator.close()
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        work()


def test_subclass_may_add_arguments(simulator: SimulatedModem) -> None:
    class Rig(SimcomMqtt):
        def __init__(self, port: str, name: str) -> None:
            super().__init__(port, command_timeout=5)
            self.name = name

    with Rig(simulator.port, name="left bench") as rig:
        assert (rig.name, rig.port) == ("left bench", simulator.port)


def test_list_ports_shows_devices() -> None:
    for port in list_ports():
        assert port.device in repr(port)


def test_unwritable_transcript_raises_file_not_found(simulator: SimulatedModem, tmp_path: Path) -> None:
    transcript = tmp_path / "missing" / "transcript.txt"

    with pytest.raises(FileNotFoundError, match="the transcript cannot be written: No such file") as failure:
        SimcomMqtt(simulator.port, transcript=transcript)

    assert failure.value.filename == transcript
