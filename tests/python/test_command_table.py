"""Runs each row of the table of AT commands in the documentation on the simulated module."""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from scripted_broker import ScriptedBroker
from simcom_mqtt import SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

PAGE = Path(__file__).parents[2] / "docs/reference/commands.md"
ROW = re.compile(r"\| (?P<form>[^|]+) \| `(?P<line>AT[^|]*)` \| `(?P<call>[^|]+)` \| (?P<state>\w+) \|")
STATES = {"closed", "open", "started", "acquired", "connected", "certificate"}
BROKER = "mqtt://broker.example.com"
ALL_COMMANDS = {
    "CMQTTSTART",
    "CMQTTSTOP",
    "CMQTTACCQ",
    "CMQTTREL",
    "CMQTTSSLCFG",
    "CMQTTWILLTOPIC",
    "CMQTTWILLMSG",
    "CMQTTCONNECT",
    "CMQTTDISC",
    "CMQTTTOPIC",
    "CMQTTPAYLOAD",
    "CMQTTPUB",
    "CMQTTSUB",
    "CMQTTUNSUB",
    "CMQTTCFG",
}
READABLE = {
    "CMQTTACCQ",
    "CMQTTREL",
    "CMQTTSSLCFG",
    "CMQTTCONNECT",
    "CMQTTDISC",
    "CMQTTSUB",
    "CMQTTCFG",
}


class Row(NamedTuple):
    form: str
    line: str
    call: str
    state: str


ROWS = [Row(*found.groups()) for found in ROW.finditer(PAGE.read_text())]


@pytest.fixture
def module() -> Iterator[SimulatedModem]:
    """A module on a broker that accepts the DUP flag in SUBSCRIBE, which MQTT forbids."""
    with ScriptedBroker() as broker, SimulatedModem(broker=broker.address) as simulated:
        yield simulated


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.line} by {row.call}")
def test_documented_call_sends_the_documented_command(row: Row, module: SimulatedModem) -> None:
    with ExitStack() as opened:
        names: dict[str, object] = {"SimcomMqtt": lambda port: opened.enter_context(SimcomMqtt(port))}
        if row.state == "closed":
            names["modem"] = module
        else:
            modem = opened.enter_context(SimcomMqtt(module.port))
            names["modem"] = modem
            if row.state == "certificate":
                modem.upload_certificate("rig-ca.pem", b"PEM")
            if row.state in {"started", "acquired", "connected"}:
                modem.start()
            if row.state in {"acquired", "connected"}:
                names["client"] = client = modem.acquire("unit 7")
                if row.state == "connected":
                    client.connect(BROKER)
        sent_before = len(module.received)

        eval(row.call, names)  # noqa: S307

        assert row.line in module.received[sent_before:]


def test_every_row_of_the_table_is_tested() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if "| `AT" in line]
    assert len(rows) == len(ROWS)


def test_table_lists_every_form_of_every_command(modem: SimcomMqtt) -> None:
    def commands_in(form: str) -> set[str]:
        names = (re.match(r"AT\+(CMQTT[A-Z]+)", row.line) for row in ROWS if row.form.startswith(form))
        return {name[1] for name in names if name}

    assert commands_in("execute") == {"CMQTTSTART", "CMQTTSTOP"}
    assert commands_in("test") == set(modem.limits())
    assert commands_in("read") == READABLE
    assert commands_in("write") == ALL_COMMANDS - {"CMQTTSTART", "CMQTTSTOP"}
    assert {row.state for row in ROWS} == {
        "closed",
        "open",
        "started",
        "acquired",
        "connected",
        "certificate",
    }
