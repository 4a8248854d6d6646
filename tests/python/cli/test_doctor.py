"""`doctor`: a finding and a fix for each thing that can be wrong."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from cli.terminal_command import Terminal, lines_of, run
from mosquitto_broker import MosquittoBroker
from scripted_module import OK, ScriptedModule
from simcom_mqtt import SimcomMqtt
from simcom_mqtt.cli import port_check
from simcom_mqtt.simulator import SimulatedModem

SUBJECTS = ["port", "firmware", "SIM", "signal", "registration", "PDP", "clock", "MQTT", "TLS"]


def examine(*arguments: object, status: int) -> dict[str, dict[str, Any]]:
    """The findings by subject."""
    result = run("doctor", *arguments, "--json")
    assert (result.exit_code, result.stderr) == (status, ""), result.output
    findings = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(finding["fix"] for finding in findings if finding["verdict"] != "fine")
    return {finding["subject"]: finding for finding in findings}


def test_a_module_in_good_health(simulator: SimulatedModem) -> None:
    findings = examine("-d", simulator.port, status=0)

    assert list(findings) == SUBJECTS
    assert {finding["verdict"] for finding in findings.values()} == {"fine"}


def test_plain_lines(simulator: SimulatedModem) -> None:
    lines = lines_of("doctor", "-d", simulator.port)

    assert lines[0] == f"fine     port          {simulator.port} answers AT"
    assert [line.split()[1] for line in lines] == SUBJECTS


def test_marks_and_colours_on_a_terminal(simulator: SimulatedModem) -> None:
    simulator.lose_network()
    with Terminal("doctor", "-d", simulator.port) as terminal:
        assert terminal.end() == 1

    assert "\x1b[32m✔".encode() in terminal.shown
    assert "\x1b[31m✘".encode() in terminal.shown
    assert "→ check the antenna".encode() in terminal.shown


def test_no_network(simulator: SimulatedModem) -> None:
    simulator.lose_network()

    findings = examine("-d", simulator.port, status=1)

    assert [findings[name]["verdict"] for name in ("signal", "registration", "PDP")] == [
        "failed",
        "failed",
        "warning",
    ]
    assert "antenna" in findings["signal"]["fix"]
    assert findings["registration"]["finding"] == "searching for a network"


HEALTHY = {
    "AT+CGMI": b"\r\nSIMCOM INCORPORATED\r\n" + OK,
    "AT+CGMM": b"\r\nSIM7670G-MNGV\r\n" + OK,
    "AT+CGMR": b"\r\n+CGMR: 2374B05SIM767XM5A_M\r\n" + OK,
    "AT+CGSN": b"\r\n861234567890123\r\n" + OK,
    "AT+CPIN?": b"\r\n+CPIN: READY\r\n" + OK,
    "AT+CSQ": b"\r\n+CSQ: 20,0\r\n" + OK,
    "AT+CEREG?": b"\r\n+CEREG: 0,1\r\n" + OK,
    "AT+CPSI?": b"\r\n+CPSI: LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,-13,-103,-90,5\r\n"
    + OK,
    "AT+CGACT?": b"\r\n+CGACT: 1,1\r\n" + OK,
    "AT+CMQTTREL?": b"\r\nERROR\r\n",
    **{
        f"AT+CSSLCFG={context}": b'\r\n+CSSLCFG: %d,4,0,1,300,"","","","",0,0,0,0xFFFF\r\n' % context + OK
        for context in range(10)
    },
}


@pytest.mark.parametrize(
    ("command", "answer", "subject", "verdict", "finding", "fix"),
    [
        (
            "AT+CPIN?",
            "+CME ERROR: SIM not inserted",
            "SIM",
            "failed",
            "SIM not inserted",
            "put a SIM card in",
        ),
        ("AT+CPIN?", "+CPIN: SIM PIN", "SIM", "failed", "waits for its PIN", "AT+CPIN="),
        ("AT+CPIN?", "+CPIN: SIM PUK", "SIM", "failed", "PUK", "new PIN"),
        ("AT+CPIN?", "+CPIN: PH-NET PIN", "SIM", "failed", "PH-NET PIN", "another card"),
        ("AT+CSQ", "+CSQ: 3,0", "signal", "warning", "-107 dBm", "antenna"),
        ("AT+CSQ", "+CSQ: 99,99", "signal", "failed", "no signal", "antenna"),
        ("AT+CEREG?", "+CEREG: 0,0", "registration", "failed", "not searching", "AT+CFUN=1"),
        ("AT+CEREG?", "+CEREG: 0,3", "registration", "failed", "refuses this SIM", "operator"),
        ("AT+CEREG?", "+CEREG: 0,4", "registration", "failed", "out of coverage", "antenna"),
        ("AT+CEREG?", "+CEREG: 0,6", "registration", "failed", "text messages", "LTE data"),
        ("AT+CEREG?", "+CEREG: 0,5", "registration", "fine", "roaming: LTE, 460-11", None),
        ("AT+CEREG?", "", "registration", "failed", "tells nothing", "restart"),
        ("AT+CGACT?", "+CGACT: 1,0", "PDP", "warning", "no packet data context", "AT+CGDCONT=1"),
        ("AT+CCLK?", '+CCLK: "80/01/06,00:00:00+00"', "clock", "warning", "1980-01-06", "AT+CTZU=1"),
        ("AT+CCLK?", '+CCLK: "99/99/99,00:00:00+00"', "clock", "warning", "tells no time", "AT+CTZU=1"),
        ("AT+CCLK?", "ERROR", "clock", "warning", "answered with ERROR", "cannot be checked"),
        ("AT+CGMR", "+CGMR: 2374B03SIM767XM5A_M", "firmware", "warning", "4 KB", "2374B05"),
        ("AT+CGMM", "SIM800L", "firmware", "warning", "not of a family", "AT+CMQTTSTART=?"),
        ("AT+CGMM", "A7670E", "firmware", "fine", "sibling", None),
    ],
)
def test_what_can_be_wrong(
    command: str, answer: str, subject: str, verdict: str, finding: str, fix: str | None
) -> None:
    is_final = answer.endswith("ERROR") or answer.startswith("+CME")
    said = f"\r\n{answer}\r\n".encode() if answer else b""
    with ScriptedModule({**HEALTHY, command: said + (b"" if is_final else OK)}) as module:
        found = examine("-d", module.port, status=int(verdict == "failed"))[subject]

    assert (found["verdict"], finding in found["finding"]) == (verdict, True), found
    assert fix is None or fix in found["fix"]


def test_a_clock_that_was_never_set(simulator: SimulatedModem) -> None:
    lines_of("at", "-d", simulator.port, 'AT+CCLK="80/01/06,02:00:00+08"')

    (time,) = lines_of("at", "-d", simulator.port, "AT+CCLK?")
    clock = examine("-d", simulator.port, status=0)["clock"]

    assert re.fullmatch(r'\+CCLK: "80/01/06,02:00:\d\d\+08"', time)
    assert clock["verdict"] == "warning"
    assert clock["finding"].startswith("1980-01-06 00:00:")


@pytest.mark.parametrize("time", ["80/01/06,00:00:00", "80/13/06,00:00:00+00", "soon"])
def test_no_time_for_a_simulated_clock(simulator: SimulatedModem, time: str) -> None:
    assert run("at", "-d", simulator.port, f'AT+CCLK="{time}"').exit_code == 1


def test_a_certificate_that_is_named_but_not_stored(simulator: SimulatedModem) -> None:
    with SimcomMqtt(simulator.port) as modem:
        modem.configure_ssl(3, cacert="missing.pem")

    tls = examine("-d", simulator.port, status=1)["TLS"]

    assert "missing.pem (cacert of SSL context 3)" in tls["finding"]
    assert "certs upload" in tls["fix"]


def test_clients_that_an_earlier_program_left(simulator: SimulatedModem) -> None:
    with SimcomMqtt(simulator.port) as modem:
        modem.start()
        modem.acquire("left over")
        modem.close()

    mqtt = examine("-d", simulator.port, status=0)["MQTT"]

    assert (mqtt["verdict"], "left over" in mqtt["finding"]) == ("warning", True)


def test_a_broker(simulator: SimulatedModem, mosquitto: MosquittoBroker) -> None:
    to = ["-d", simulator.port, "-h", "127.0.0.1", "-p"]

    assert "accepted" in examine(*to, mosquitto.plain, status=0)["broker"]["finding"]
    assert simulator.received[-1] == "AT+CMQTTSTOP"
    assert "+CMQTTCONNECT: 0,3" in examine(*to, 1, status=1)["broker"]["finding"]


def test_a_mute_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    process = tmp_path / "4711"
    process.mkdir()
    (process / "comm").write_text("ModemManager\n")
    monkeypatch.setattr(port_check, "PROCESSES", tmp_path)
    with ScriptedModule(mute=True) as module:
        other = type("Port", (), {"device": "/dev/ttyUSB7"})
        monkeypatch.setattr(port_check, "simcom_ports", lambda: [other])
        findings = examine("-d", module.port, status=1)

    assert list(findings) == ["port", "other ports", "ModemManager"]
    assert "nothing answers AT" in findings["port"]["finding"]
    assert "PWRKEY" in findings["port"]["fix"]
    assert "/dev/ttyUSB7" in findings["other ports"]["finding"]
    assert "systemctl stop ModemManager" in findings["ModemManager"]["fix"]


def test_ctrl_c_while_the_module_is_mute() -> None:
    with ScriptedModule(mute=True) as module, Terminal("doctor", "-d", module.port) as terminal:
        module.wait_for_command("AT")
        terminal.press(b"\x03")

        assert terminal.end() == 130
    assert terminal.shown == b"^C"


def test_a_port_that_another_program_has(simulator: SimulatedModem) -> None:
    with SimcomMqtt(simulator.port):
        port = examine("-d", simulator.port, status=1)["port"]

    assert "in use" in port["finding"]
    assert re.fullmatch(rf"end .* \(process {os.getpid()}\)", port["fix"])


def test_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simcom_mqtt.cli.doctor.simcom_ports", list)

    assert "lsusb" in examine(status=1)["port"]["fix"]
