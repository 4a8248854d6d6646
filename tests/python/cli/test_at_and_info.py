"""`at` and `info`: single AT commands and their output."""

import json
from pathlib import Path

import pytest

from cli.terminal_command import lines_of, run
from scripted_module import OK, ScriptedModule
from simcom_mqtt import SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem


def test_information_lines_without_echo_and_ok(simulator: SimulatedModem) -> None:
    assert lines_of("at", "-d", simulator.port, "AT+CSQ") == ["+CSQ: 23,0"]


def test_port_from_environment_variable(simulator: SimulatedModem) -> None:
    result = run("at", "AT+CSQ", env={"SIMCOM_PORT": simulator.port})

    assert (result.exit_code, result.stdout) == (0, "+CSQ: 23,0\n")


@pytest.mark.parametrize("way", ["--data", "--data-file", "stdin"])
def test_data_answers_the_prompt(simulator: SimulatedModem, tmp_path: Path, way: str) -> None:
    data = "-----BEGIN"
    file = tmp_path / "data"
    file.write_text(data)
    options: dict[str, list[object]] = {
        "--data": ["--data", data],
        "--data-file": ["--data-file", file],
        "stdin": ["--data-file", "-"],
    }
    command = 'AT+CCERTDOWN="ca.pem",10'

    lines_of("at", "-d", simulator.port, command, *options[way], stdin=data.encode())

    assert lines_of("at", "-d", simulator.port, "AT+CCERTLIST") == ['+CCERTLIST: "ca.pem"']


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["AT+NONSENSE"], 1, "AT+NONSENSE was answered with ERROR"),
        (['AT+CCERTDELE="missing.pem"'], 1, "not found"),
        (['AT+CCERTDOWN="ca.pem",10'], 2, "must be 10 bytes"),
        (["AT+CSQ", "--data", "x", "--data-file", "-"], 2, "either --data or --data-file"),
        (["AT+CSQ", "--data-file", "/missing"], 2, "No such file"),
        (["AT+CSQ", "--timeout", "0"], 2, "--timeout"),
        ([], 2, "COMMAND"),
    ],
)
def test_failure_exits_with_status_and_reason(
    simulator: SimulatedModem, arguments: list[str], status: int, complaint: str
) -> None:
    result = run("at", "-d", simulator.port, *arguments)

    assert (result.exit_code, result.stdout) == (status, "")
    assert complaint in result.stderr
    assert "Traceback" not in result.stderr


def test_timeout_names_the_command(simulator: SimulatedModem) -> None:
    simulator.mute_next("CSQ")

    result = run("at", "-d", simulator.port, "AT+CSQ", "--timeout", "0.2")

    assert result.exit_code == 1
    assert "AT+CSQ" in result.stderr


def test_missing_port_exits_with_1() -> None:
    result = run("info", "-d", "/dev/missing")

    assert result.exit_code == 1
    assert "Error: no port /dev/missing" in result.stderr


def test_password_in_module_answer_is_masked(simulator: SimulatedModem, broker_url: str) -> None:
    with SimcomMqtt(simulator.port) as modem:
        modem.start()
        modem.acquire("left")
        modem.command(f'AT+CMQTTCONNECT=0,"{broker_url.replace("mqtt", "tcp")}",60,1,"unit7","top secret"')
        while not modem.command("AT+CMQTTDISC?")[0].endswith("0,0"):
            pass
        # Left connected, as by a process that was killed.
        modem.close()

    (line, _) = lines_of("at", "-d", simulator.port, "AT+CMQTTCONNECT?")

    assert line.endswith('"unit7","**********"')


def test_verbose_logs_each_line_to_standard_error(simulator: SimulatedModem) -> None:
    result = run("at", "-d", simulator.port, "AT+CSQ", "-v")

    assert result.stdout == "+CSQ: 23,0\n"
    assert "simcom_mqtt.at: > AT+CSQ\n" in result.stderr
    assert "simcom_mqtt.at: < +CSQ: 23,0\n" in result.stderr


def test_transcript_option_writes_file(simulator: SimulatedModem, tmp_path: Path) -> None:
    transcript = tmp_path / "session.txt"

    lines_of("at", "-d", simulator.port, "AT+CSQ", "--transcript", transcript)

    assert "> line AT+CSQ\\r" in transcript.read_text()


def test_module_answer_cannot_control_the_terminal() -> None:
    with ScriptedModule({"AT+CSQ": b"\r\n+CSQ: \x1b[2J\xc2\x9b1\r\n" + OK}) as module:
        assert lines_of("at", "-d", module.port, "AT+CSQ") == ["+CSQ: \\x1b[2J\\x9b1"]


def test_info_as_text_and_as_json(simulator: SimulatedModem) -> None:
    text = dict(line.split(maxsplit=1) for line in lines_of("info", "-d", simulator.port))
    (line,) = lines_of("info", "-d", simulator.port, "--json")
    values = json.loads(line)

    assert text["model"] == values["model"] == "SIM7670G-MNGV"
    assert text["IMEI"] == values["imei"]
    assert text["signal"] == f"{values['rssi_dbm']} dBm" == "-67 dBm"
    assert (text["SIM"], values["sim"]) == ("ready", "ready")
    assert (text["APN"], values["apn"]) == ("internet", "internet")
    assert values["pdp_contexts"] == {"1": True, "2": False, "3": False}


def test_info_without_service(simulator: SimulatedModem) -> None:
    simulator.lose_network()

    (line,) = lines_of("info", "-d", simulator.port, "--json")

    assert json.loads(line)["rssi_dbm"] is None
    assert json.loads(line)["mode"] == "NO SERVICE"
    assert json.loads(line)["apn"] is None
