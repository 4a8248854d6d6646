"""`sim`, `pin`, `apn`, `clock` and `position`: the module beyond MQTT."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from cli.terminal_command import Terminal, lines_of, run
from simcom_mqtt.simulator import Fault, SimulatedModem


def test_sim_shows_numbers(simulator: SimulatedModem) -> None:
    (line,) = lines_of("sim", "-d", simulator.port, "--json")
    card = json.loads(line)

    assert card["state"] == "ready"
    assert re.fullmatch(r"\d{18,20}", card["iccid"])
    assert lines_of("sim", "-d", simulator.port) == [
        "state  ready",
        f"ICCID  {card['iccid']}",
        f"IMSI   {card['imsi']}",
    ]


@pytest.mark.parametrize(("fault", "state"), [("no-sim", "absent"), ("pin", "pin"), ("puk", "puk")])
def test_sim_that_is_not_ready_exits_with_1(fault: Fault, state: str) -> None:
    with SimulatedModem(faults=[fault]) as module:
        result = run("sim", "-d", module.port, "--json")

    assert (result.exit_code, json.loads(result.stdout)["state"]) == (1, state)


@pytest.mark.parametrize("way", ["argument", "stdin"])
def test_pin_unlocks_the_card(way: str) -> None:
    with SimulatedModem(faults=["pin"]) as module:
        argument = ["1234"] if way == "argument" else []
        result = run("pin", "-d", module.port, *argument, "-v", stdin=b"1234\n")

        assert result.exit_code == 0, result.output
        assert "1234" not in result.output
        assert lines_of("sim", "-d", module.port)[0] == "state  ready"


def test_pin_is_asked_for_on_terminal() -> None:
    with (
        SimulatedModem(faults=["pin"]) as module,
        Terminal("pin", "-d", module.port) as terminal,
    ):
        terminal.wait_for(b"PIN: ")
        terminal.press(b"1234\r")

        assert terminal.end() == 0
    assert b"1234" not in terminal.shown


def test_wrong_pin_exits_with_1_and_is_sent_once() -> None:
    with SimulatedModem(faults=["pin"]) as module:
        result = run("pin", "-d", module.port, "4321")

        assert [command for command in module.received if command.startswith("AT+CPIN=")] != []
        assert len([command for command in module.received if command.startswith("AT+CPIN=")]) == 1
    assert result.exit_code == 1
    assert "4321" not in result.output


def test_apn_shows_data_contexts_only(simulator: SimulatedModem) -> None:
    (line,) = lines_of("apn", "-d", simulator.port, "--json")
    header, row = lines_of("apn", "-d", simulator.port)

    (context,) = json.loads(line)
    assert (context["number"], context["apn"], context["active"]) == (1, "internet", True)
    assert header.split() == ["context", "type", "APN", "active", "address"]
    assert row.split() == ["1", "IP", "internet", "yes", context["address"]]


def test_apn_is_set_and_its_context_activated() -> None:
    with SimulatedModem(faults=["apn"]) as module:
        (line,) = lines_of("apn", "-d", module.port, "internet", "--type", "IP", "--json")

    (context,) = json.loads(line)
    assert (context["apn"], context["type"], context["active"]) == ("internet", "IP", True)


def test_apn_that_the_network_does_not_offer_exits_with_1(simulator: SimulatedModem) -> None:
    result = run("apn", "-d", simulator.port, "wrong.apn")

    assert result.exit_code == 1
    assert "the access point is stored, but its context cannot be activated" in result.stderr


def test_apn_with_user_sends_a_masked_password(simulator: SimulatedModem) -> None:
    options = ["-d", simulator.port, "internet", "--user", "unit7", "--auth", "chap", "-v"]

    result = run("apn", *options, env={"SIMCOM_APN_PASSWORD": "secret of the apn"})

    assert result.exit_code == 0, result.output
    assert any(command.startswith("AT+CGAUTH=1,2,") for command in simulator.received)
    assert "secret of the apn" not in result.output


def test_apn_user_without_name_is_refused(simulator: SimulatedModem) -> None:
    assert run("apn", "-d", simulator.port, "--user", "unit7").exit_code == 2


def test_clock_shows_time_with_zone(simulator: SimulatedModem) -> None:
    (shown,) = lines_of("clock", "-d", simulator.port)
    (line,) = lines_of("clock", "-d", simulator.port, "--json")

    assert abs(datetime.fromisoformat(shown) - datetime.now(UTC)) < timedelta(seconds=30)
    assert abs(json.loads(line)["seconds_off"]) < 30


def test_clock_that_was_never_set_is_set_by_sync() -> None:
    with SimulatedModem(faults=["clock"]) as module:
        before = run("clock", "-d", module.port)
        (after,) = lines_of("clock", "-d", module.port, "--sync", "--server", "ntp.example.com")

        assert any("ntp.example.com" in command for command in module.received)
    assert (before.exit_code, before.stdout) == (1, "")
    assert "clock --sync" in before.stderr
    assert datetime.fromisoformat(after).year >= 2025


def test_position(simulator: SimulatedModem) -> None:
    assert run("position", "-d", simulator.port).exit_code == 1
    simulator.position = (-36.8485, 174.7633, 12.0)

    lines = lines_of("position", "-d", simulator.port, "--on", "--wait", "20")
    (line,) = lines_of("position", "-d", simulator.port, "--json")

    assert lines[0].startswith("latitude")
    found = json.loads(line)
    assert (found["latitude"], found["longitude"]) == pytest.approx((-36.8485, 174.7633), abs=1e-4)
    assert lines_of("position", "-d", simulator.port, "--off") == []
    assert run("position", "-d", simulator.port).exit_code == 1
