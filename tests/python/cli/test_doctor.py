"""`doctor`: a finding and a fix for each fault; what follows from a fault is marked."""

import json
import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import trustme

from cli.terminal_command import Terminal, lines_of, process, run
from mosquitto_broker import MosquittoBroker
from scripted_module import OK, ScriptedModule
from simcom_mqtt import SimcomMqtt
from simcom_mqtt.cli import network_check, port_check
from simcom_mqtt.simulator import Fault, SimulatedModem

SUBJECTS = ["port", "firmware", "SIM", "signal", "registration", "PDP", "clock", "MQTT", "TLS"]


def examine(*arguments: object, status: int) -> dict[str, dict[str, Any]]:
    """Return the findings by subject."""
    result = run("doctor", *arguments, "--json")
    assert (result.exit_code, result.stderr) == (status, ""), result.output
    findings = [json.loads(line) for line in result.stdout.splitlines()]
    assert all(finding["fix"] for finding in findings if finding["verdict"] != "fine")
    return {finding["subject"]: finding for finding in findings}


def test_healthy_module_is_fine(simulator: SimulatedModem) -> None:
    findings = examine("-d", simulator.port, status=0)

    assert list(findings) == SUBJECTS
    assert {finding["verdict"] for finding in findings.values()} == {"fine"}


def test_plain_lines_in_a_pipe(simulator: SimulatedModem) -> None:
    lines = lines_of("doctor", "-d", simulator.port)

    assert lines[0] == f"fine     port          {simulator.port} answers AT"
    assert [line.split()[1] for line in lines] == SUBJECTS


def test_marks_and_colours_on_terminal(simulator: SimulatedModem) -> None:
    simulator.lose_network()
    with Terminal("doctor", "-d", simulator.port) as terminal:
        assert terminal.end() == 1

    assert "\x1b[32m✔".encode() in terminal.shown
    assert "\x1b[31m✘".encode() in terminal.shown
    assert "→ check the antenna".encode() in terminal.shown


def test_lost_network_fails_signal_and_the_rest_follows(simulator: SimulatedModem) -> None:
    simulator.lose_network()

    findings = examine("-d", simulator.port, status=1)

    assert [findings[name]["verdict"] for name in ("signal", "registration", "PDP")] == [
        "failed",
        "follows",
        "follows",
    ]
    assert "antenna" in findings["signal"]["fix"]
    assert findings["registration"]["finding"] == "searching for a network, which follows from signal"
    assert findings["registration"]["fix"] == "fix signal first"


MENDED_BY_COMMANDS: dict[Fault, str] = {
    "pin": "SIM",
    "puk": "SIM",
    "apn": "PDP",
    "denied": "registration",
    "searching": "registration",
    "clock": "clock",
}
MENDED_BY_HAND: dict[Fault, tuple[str, str]] = {
    "no-sim": ("SIM", "put a SIM card in"),
    "weak": ("signal", "antenna"),
    "no-antenna": ("signal", "antenna"),
}


def failure(*arguments: object) -> dict[str, Any]:
    """Return the only finding that failed."""
    findings = examine(*arguments, status=1).values()
    (found,) = (finding for finding in findings if finding["verdict"] == "failed")
    return found


@pytest.mark.parametrize("fault", MENDED_BY_COMMANDS)
def test_printed_commands_mend_the_only_failure(fault: Fault) -> None:
    with SimulatedModem(faults=[fault]) as module:
        found = failure("-d", module.port)
        assert found["subject"] == MENDED_BY_COMMANDS[fault]
        for command in re.findall("`(simcom-mqtt [^`]*)`", found["fix"]):
            _, *arguments = shlex.split(command)
            assert run(*arguments).exit_code == 0

        examine("-d", module.port, status=0)


@pytest.mark.parametrize("fault", MENDED_BY_HAND)
def test_fix_of_the_only_failure_says_what_to_do_by_hand(fault: Fault) -> None:
    subject, fix = MENDED_BY_HAND[fault]
    with SimulatedModem(faults=[fault]) as module:
        found = failure("-d", module.port)
        assert (found["subject"], fix in found["fix"]) == (subject, True)
        module.mend(fault)

        examine("-d", module.port, status=0)


def test_broker_is_not_tried_without_data_context() -> None:
    with SimulatedModem(faults=["apn"]) as module:
        broker = examine("-d", module.port, "-h", "broker.example.com", status=1)["broker"]

        assert not any(command.startswith("AT+CMQTTCONNECT") for command in module.received)
    assert (broker["verdict"], broker["finding"]) == ("follows", "not tried, which follows from PDP")


@pytest.mark.parametrize("profile", ["sim767x", "a76xx"])
def test_known_bad_firmware_is_the_only_failure(profile: str) -> None:
    with SimulatedModem(faults=["firmware"], profile=profile) as module:
        found = failure("-d", module.port)

    assert found["subject"] == "firmware"
    assert "TLS" in found["finding"]


def test_all_faults_are_tested() -> None:
    assert {*MENDED_BY_COMMANDS, *MENDED_BY_HAND, "firmware"} == set(get_args(Fault))


def test_command_of_a_fix_has_no_device_if_none_was_named() -> None:
    with SimulatedModem(faults=["clock"]) as module:
        result = run("doctor", "--json", env={"SIMCOM_PORT": module.port})

    assert "`simcom-mqtt clock --sync`" in result.stdout


LTE = "+CPSI: LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,{}"
HEALTHY = {
    "AT+CGMI": b"\r\nSIMCOM INCORPORATED\r\n" + OK,
    "AT+CGMM": b"\r\nSIM7670G-MNGV\r\n" + OK,
    "AT+CGMR": b"\r\n+CGMR: 2374B05SIM767XM5A_M\r\n" + OK,
    "AT+CGSN": b"\r\n861234567890123\r\n" + OK,
    "AT+CPIN?": b"\r\n+CPIN: READY\r\n" + OK,
    "AT+CSQ": b"\r\n+CSQ: 20,0\r\n" + OK,
    "AT+CEREG?": b"\r\n+CEREG: 0,1\r\n" + OK,
    "AT+CPSI?": f"\r\n{LTE.format('-13,-103,-90,5')}\r\n".encode() + OK,
    "AT+CGREG?": b"\r\n+CGREG: 0,0\r\n" + OK,
    "AT+CREG?": b"\r\n+CREG: 0,0\r\n" + OK,
    "AT+COPS?": b"\r\n+COPS: 0\r\n" + OK,
    "AT+CGACT?": b"\r\n+CGACT: 1,1\r\n+CGACT: 8,1\r\n" + OK,
    "AT+CGDCONT?": b'\r\n+CGDCONT: 1,"IP","internet","0.0.0.0",0,0,0,0\r\n+CGDCONT: 8,"IPV4V6","IMS"\r\n'
    + OK,
    "AT+CCLK?": datetime.now(UTC).strftime('\r\n+CCLK: "%y/%m/%d,%H:%M:%S+00"\r\n').encode() + OK,
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
        ("AT+CPIN?", "+CPIN: SIM PIN", "SIM", "failed", "waits for its PIN", "pin --device"),
        ("AT+CPIN?", "+CPIN: SIM PUK", "SIM", "failed", "PUK", "new PIN"),
        ("AT+CPIN?", "+CPIN: PH-NET PIN", "SIM", "failed", "PH-NET PIN", "another card"),
        ("AT+CPIN?", "+CPIN: NOT INSERTED", "SIM", "failed", "not inserted", "put a SIM card in"),
        ("AT+CSQ", "+CSQ: 3,0", "signal", "warning", "RSSI -107 dBm (weak), RSRP -103 dBm", "antenna"),
        ("AT+CSQ", "+CSQ: 2,0", "signal", "failed", "RSSI -109 dBm (too weak)", "antenna"),
        ("AT+CSQ", "+CSQ: 99,99", "signal", "fine", "RSRP -103 dBm, RSRQ -13 dB, SINR 5 dB", None),
        ("AT+CPSI?", LTE.format("-13,-112,-90,5"), "signal", "warning", "RSRP -112 dBm (weak)", "antenna"),
        ("AT+CPSI?", LTE.format("-13,-121,-90,5"), "signal", "failed", "RSRP -121 dBm (too weak)", "antenna"),
        ("AT+CPSI?", LTE.format("-17,-103,-90,5"), "signal", "warning", "RSRQ -17 dB (weak)", "antenna"),
        ("AT+CPSI?", LTE.format("-13,-103,-90,-2"), "signal", "warning", "SINR -2 dB (weak)", "antenna"),
        ("AT+CEREG?", "+CEREG: 0,0", "registration", "failed", "not searching", "AT+CFUN=1"),
        ("AT+CEREG?", "+CEREG: 0,3", "registration", "failed", "refuses this SIM", "operator"),
        ("AT+CEREG?", "+CEREG: 0,4", "registration", "failed", "out of coverage", "antenna"),
        ("AT+CEREG?", "+CEREG: 0,6", "registration", "failed", "text messages", "LTE data"),
        ("AT+CEREG?", "+CEREG: 0,5", "registration", "fine", "roaming: LTE, 460-11", None),
        ("AT+CEREG?", "+CEREG: 0,2", "registration", "failed", "searching", "antenna"),
        ("AT+CEREG?", "ERROR", "registration", "failed", "not searching", "AT+COPS=0"),
        ("AT+CGACT?", "+CGACT: 1,1", "PDP", "fine", "context 1 active, APN internet", None),
        ("AT+CGACT?", "+CGACT: 1,0", "PDP", "failed", "context 1 inactive, APN internet", "apn --device"),
        ("AT+CCLK?", '+CCLK: "80/01/06,00:00:00+00"', "clock", "failed", "never set", "--sync"),
        ("AT+CCLK?", '+CCLK: "25/01/06,08:00:00+32"', "clock", "warning", "2025-01-06 00:00:00", "--sync"),
        ("AT+CCLK?", '+CCLK: "99/99/99,00:00:00+00"', "clock", "warning", "99/99/99", "cannot be checked"),
        ("AT+CCLK?", "ERROR", "clock", "warning", "answered with ERROR", "cannot be checked"),
        ("AT+CGMR", "+CGMR: 2374B03SIM767XM5A_M", "firmware", "failed", "4 KB", "2374B05"),
        ("AT+CMQTTACCQ=?", "ERROR", "MQTT", "failed", "no AT+CMQTT", "firmware with MQTT"),
        ("AT+CGMM", "SIM800L", "firmware", "warning", "not of a known family", "AT+CMQTTSTART=?"),
        ("AT+CGMM", "A7670E", "firmware", "fine", "sibling", None),
    ],
)
def test_finding_and_fix_of_one_answer(
    command: str, answer: str, subject: str, verdict: str, finding: str, fix: str | None
) -> None:
    is_final = answer.endswith("ERROR") or answer.startswith("+CME")
    said = f"\r\n{answer}\r\n".encode() if answer else b""
    with ScriptedModule({**HEALTHY, command: said + (b"" if is_final else OK)}) as module:
        findings = examine("-d", module.port, status=int(verdict == "failed"))

    found = findings[subject]
    assert (found["verdict"], finding in found["finding"]) == (verdict, True), found
    assert fix is None or fix in found["fix"]
    failures = [finding for finding in findings.values() if finding["verdict"] == "failed"]
    assert failures == ([found] if verdict == "failed" else [])


def test_module_registered_in_gsm_is_registered() -> None:
    gsm = "+CPSI: GSM,Online,460-00,0x182d,12401,27 EGSM 900,-64,2110,42-42"
    answers = {"AT+CEREG?": "+CEREG: 0,4", "AT+CGREG?": "+CGREG: 0,1", "AT+CPSI?": gsm}
    with ScriptedModule(
        HEALTHY | {name: f"\r\n{text}\r\n".encode() + OK for name, text in answers.items()}
    ) as module:
        registration = examine("-d", module.port, status=0)["registration"]

    assert registration["finding"].startswith("in its home network: GSM")


def test_ims_context_alone_is_no_data_context() -> None:
    answer = b"\r\n+CGACT: 1,0\r\n+CGACT: 8,1\r\n" + OK
    with ScriptedModule({**HEALTHY, "AT+CGACT?": answer}) as module:
        data = examine("-d", module.port, status=1)["PDP"]

    assert data["finding"] == "no packet data context is active (context 1 inactive, APN internet)"


@pytest.mark.parametrize("state", [2, 3])
def test_fixed_operator_is_the_fix_of_a_failed_registration(state: int) -> None:
    answers = {"AT+CEREG?": f"+CEREG: 0,{state}", "AT+COPS?": "+COPS: 1"}
    with ScriptedModule(
        HEALTHY | {name: f"\r\n{text}\r\n".encode() + OK for name, text in answers.items()}
    ) as module:
        registration = examine("-d", module.port, status=1)["registration"]

    assert re.search("`simcom-mqtt at --device \\S+ AT\\+COPS=0`", registration["fix"])


@pytest.mark.parametrize("busy", ["SIM busy", "14", "SIM failure"])
def test_busy_sim_is_waited_for(busy: str) -> None:
    answers = {**HEALTHY, "AT+CPIN?": f"\r\n+CME ERROR: {busy}\r\n".encode()}
    with ScriptedModule(answers) as module, process("doctor", "-d", module.port) as command:
        module.wait_for_command("AT+CPIN?")
        module.answers["AT+CPIN?"] = HEALTHY["AT+CPIN?"]
        module.say(b"\r\n+CPIN: READY\r\n")
        output, errors = command.communicate(timeout=30)

    assert (command.returncode, errors) == (0, b"")
    assert b"fine     SIM           ready" in output


def test_sim_that_stays_busy_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_check, "SIM_START_TIME", 0.0)
    with ScriptedModule({**HEALTHY, "AT+CPIN?": b"\r\n+CME ERROR: SIM busy\r\n"}) as module:
        sim = examine("-d", module.port, status=1)["SIM"]

    assert sim["finding"] == "+CME ERROR: SIM busy"


def test_clock_that_was_never_set(simulator: SimulatedModem) -> None:
    lines_of("at", "-d", simulator.port, 'AT+CCLK="80/01/06,02:00:00+08"')

    (time,) = lines_of("at", "-d", simulator.port, "AT+CCLK?")
    clock = examine("-d", simulator.port, status=1)["clock"]

    assert re.fullmatch(r'\+CCLK: "80/01/06,02:00:\d\d\+08"', time)
    assert clock["verdict"] == "failed"
    assert "never set" in clock["finding"]


@pytest.mark.parametrize("time", ["80/01/06,00:00:00", "80/13/06,00:00:00+00", "soon"])
def test_simulated_clock_refuses_other_text(simulator: SimulatedModem, time: str) -> None:
    assert run("at", "-d", simulator.port, f'AT+CCLK="{time}"').exit_code == 1


def test_certificate_that_is_named_but_not_stored(simulator: SimulatedModem) -> None:
    with SimcomMqtt(simulator.port) as modem:
        modem.configure_ssl(3, cacert="missing.pem")

    tls = examine("-d", simulator.port, status=1)["TLS"]

    assert "missing.pem (cacert of SSL context 3)" in tls["finding"]
    assert "certs upload" in tls["fix"]


def test_clients_of_earlier_program_are_a_warning(simulator: SimulatedModem) -> None:
    with SimcomMqtt(simulator.port) as modem:
        modem.start()
        modem.acquire("left over")
        modem.close()

    mqtt = examine("-d", simulator.port, status=0)["MQTT"]

    assert (mqtt["verdict"], "left over" in mqtt["finding"]) == ("warning", True)


def test_broker_accepts(simulator: SimulatedModem, mosquitto: MosquittoBroker) -> None:
    to = ["-d", simulator.port, "-h", "127.0.0.1", "-p"]

    assert "accepted" in examine(*to, mosquitto.plain, status=0)["broker"]["finding"]
    assert simulator.received[-1] == "AT+CMQTTSTOP"


@pytest.fixture
def authority(mosquitto: MosquittoBroker, tmp_path: Path) -> Path:
    """The certificate of the authority that signed the broker's certificate."""
    file = tmp_path / "ca.pem"
    mosquitto.authority.cert_pem.write_to_path(file)
    return file


@pytest.fixture
def other_authority(tmp_path: Path) -> Path:
    """The certificate of another authority."""
    file = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(file)
    return file


@pytest.mark.parametrize(
    ("listener", "cafile", "fix"),
    [
        ("tls", None, "this port speaks TLS"),
        ("plain", "authority", "this port speaks MQTT without TLS"),
        ("tls", "other_authority", "--cafile must be the authority"),
        ("mutual_tls", "authority", "give --cert and --key"),
        ("password", None, "check --username and the password"),
        (None, None, "through its own network"),
    ],
)
def test_broker_failure_has_its_own_fix(
    simulator: SimulatedModem,
    mosquitto: MosquittoBroker,
    request: pytest.FixtureRequest,
    listener: str | None,
    cafile: str | None,
    fix: str,
) -> None:
    port = 1 if listener is None else getattr(mosquitto, listener)
    tls = ["--cafile", request.getfixturevalue(cafile)] if cafile else []

    broker = examine("-d", simulator.port, "-h", "127.0.0.1", "-p", port, *tls, status=1)["broker"]

    assert broker["verdict"] == "failed"
    assert fix in broker["fix"], broker
    assert simulator.received[-1] == "AT+CMQTTSTOP"


def test_verified_broker_says_that_dates_are_not_checked(
    simulator: SimulatedModem, mosquitto: MosquittoBroker, authority: Path
) -> None:
    options = ["-d", simulator.port, "-h", "127.0.0.1", "-p", mosquitto.tls, "--cafile", authority]

    findings = examine(*options, status=0)

    assert "certificate dates are not checked" in findings["TLS"]["finding"]
    assert "certificate dates were not checked" in findings["broker"]["finding"]


def test_silent_module_lists_what_may_be_in_the_way(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
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


def test_ctrl_c_while_module_is_silent_exits_with_130() -> None:
    with ScriptedModule(mute=True) as module, Terminal("doctor", "-d", module.port) as terminal:
        module.wait_for_command("AT")
        terminal.press(b"\x03")

        assert terminal.end() == 130
    assert terminal.shown == b"^C"


def test_busy_port_names_the_process(simulator: SimulatedModem) -> None:
    with SimcomMqtt(simulator.port):
        port = examine("-d", simulator.port, status=1)["port"]

    assert "is in use by this command itself" in port["finding"]
    assert "close the port there first" in port["finding"]


def test_machine_without_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simcom_mqtt.cli.doctor.simcom_ports", list)

    assert "lsusb" in examine(status=1)["port"]["fix"]
