"""`ports`: the list of ports, and the outcome of each probe."""

import json
from dataclasses import dataclass

import pytest

from cli.terminal_command import lines_of, run
from simcom_mqtt import CommandTimeoutError, SimcomMqtt
from simcom_mqtt.cli import device_options, ports
from simcom_mqtt.cli.device_options import SIMCOM_VENDOR
from simcom_mqtt.simulator import SimulatedModem

FTDI = 0x0403
MUTE = "/dev/ttyUSB0"


@dataclass
class Port:
    """Stands for `PortInfo`, which needs a machine with such a port."""

    device: str
    vid: int | None = SIMCOM_VENDOR
    pid: int | None = 0x9011
    interface: int | None = 2
    by_id: str | None = "/dev/serial/by-id/usb-SimTech-if02"
    serial_number: str | None = "0123456789ABCDEF"
    description: str | None = "SimTech, Incorporated"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[Port]:
    """The ports that this machine seems to have."""
    found: list[Port] = []
    for place in (ports, device_options):
        monkeypatch.setattr(place, "list_ports", lambda: found)
    return found


def test_outcome_of_each_probe(
    machine: list[Port], simulator: SimulatedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_port(port: str, baudrate: int) -> SimcomMqtt:
        if port == MUTE:  # a real time-out takes 6 s; the tests of doctor have one
            raise CommandTimeoutError("nothing answers AT", command="AT")
        return SimcomMqtt(port, baudrate)

    monkeypatch.setattr(ports, "SimcomMqtt", open_port)
    with SimulatedModem() as taken, SimcomMqtt(taken.port):
        machine += [Port(simulator.port), Port(MUTE, interface=0), Port(taken.port)]
        machine += [Port("/dev/missing"), Port("/dev/ttyUSB9", vid=FTDI)]

        (line,) = lines_of("ports", "--json")

    told = json.loads(line)
    answers = [port["answers"] for port in told]
    assert answers == ["yes", "no", "busy", "cannot be opened", "not tried"]
    assert "no port /dev/missing" in told[3]["error"]
    assert told[0] == {
        "device": simulator.port,
        "answers": "yes",
        "error": None,
        "usb_id": "1E0E:9011",
        "interface": 2,
        "by_id": "/dev/serial/by-id/usb-SimTech-if02",
        "serial_number": "0123456789ABCDEF",
        "description": "SimTech, Incorporated",
    }


def test_ports_of_other_makers_are_tried_with_probe_all(
    machine: list[Port], simulator: SimulatedModem
) -> None:
    machine.append(Port(simulator.port, vid=FTDI))

    assert simulator.received == []
    assert lines_of("ports")[1].split()[1:3] == ["not", "tried"]
    assert simulator.received == []
    assert lines_of("ports", "--probe-all")[1].split()[1] == "yes"


def test_table_has_columns(machine: list[Port], simulator: SimulatedModem) -> None:
    machine += [Port(simulator.port), Port("/dev/ttyS0", None, None, None, None, None, None)]

    header, first, second = lines_of("ports")

    column = header.index("answers AT")
    assert (first[column:].split()[0], second[column:].split()[0]) == ("yes", "not")
    assert second.split() == ["/dev/ttyS0", "not", "tried", "-", "-", "-"]


def test_reason_stands_below_the_table(machine: list[Port]) -> None:
    machine.append(Port("/dev/missing"))

    result = run("ports")

    assert "cannot be opened" in result.stdout
    assert "no port /dev/missing" in result.stderr


def test_no_port(machine: list[Port]) -> None:
    result = run("ports")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "no serial port" in result.stderr
    assert lines_of("ports", "--json") == ["[]"]


def test_only_simcom_port_is_the_default(machine: list[Port], simulator: SimulatedModem) -> None:
    machine += [Port("/dev/ttyS0", vid=None), Port(simulator.port)]

    assert lines_of("at", "AT+CSQ") == ["+CSQ: 23,0"]


def test_several_simcom_ports_need_a_device_option(machine: list[Port]) -> None:
    machine += [Port("/dev/ttyUSB1"), Port("/dev/ttyUSB2")]

    result = run("info")

    assert result.exit_code == 2
    assert "/dev/ttyUSB1, /dev/ttyUSB2" in result.stderr


def test_no_simcom_port_proposes_the_simulator(machine: list[Port]) -> None:
    result = run("info")

    assert result.exit_code == 2
    assert "--device simulator" in result.stderr
