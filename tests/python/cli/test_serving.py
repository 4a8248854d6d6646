"""`record`, `replay`, `simulate` and `demo`."""

import re
import signal
from pathlib import Path

import pytest

from cli.terminal_command import Terminal, lines_of, process, run
from host_client import HostClient
from mosquitto_broker import PASSWORD, USER, MosquittoBroker
from simcom_mqtt.simulator import SimulatedModem


def test_recorded_failure_replays(
    simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str, tmp_path: Path
) -> None:
    transcript = tmp_path / "failure.txt"
    simulator.fail_next("CMQTTPUB", 17)
    publishing = ["-h", "127.0.0.1", "-p", mosquitto.password, "-u", USER, "-P", PASSWORD]
    publishing += ["-t", base, "-m", "x", "-i", "unit7"]

    recorded = run("record", transcript, "pub", "-d", simulator.port, *publishing)
    with process("replay", transcript) as replay:
        assert replay.stdout
        port = replay.stdout.readline().decode().strip()
        replayed = run("pub", "-d", port, *publishing)
        replay.send_signal(signal.SIGINT)
        assert replay.wait(timeout=30) == 130
        assert replay.stderr
        assert replay.stderr.read() == b""

    assert (recorded.exit_code, replayed.exit_code) == (1, 1)
    assert f"recorded in {transcript}" in recorded.stderr
    assert "+CMQTTPUB: 0,17" in replayed.stderr
    assert PASSWORD not in transcript.read_text()


def test_record_does_not_overwrite_a_file(tmp_path: Path) -> None:
    precious = tmp_path / "failure.txt"
    precious.write_text("precious")

    result = run("record", precious, "info")

    assert (result.exit_code, precious.read_text()) == (2, "precious")
    assert "exists already" in result.stderr


@pytest.mark.parametrize("command", ["ports", "nonsense"])
def test_record_refuses_other_commands(tmp_path: Path, command: str) -> None:
    result = run("record", tmp_path / "session.txt", command)

    assert result.exit_code == 2
    assert "info, doctor, sim, pin, apn, clock, position, at, pub, sub, certs, soak" in result.stderr


def test_record_of_a_subcommand(simulator: SimulatedModem, tmp_path: Path) -> None:
    transcript = tmp_path / "session.txt"

    assert run("record", transcript, "certs", "list", "-d", simulator.port).exit_code == 0
    assert "> line AT+CCERTLIST\\r" in transcript.read_text()


def test_session_from_pipe(simulator: SimulatedModem, tmp_path: Path) -> None:
    transcript = tmp_path / "session.txt"
    commands = b'AT+CSQ\n\nAT+CCERTDOWN="ca.pem",5\nhello\nAT+CCERTLIST\n'

    result = run("record", "-d", simulator.port, transcript, stdin=commands)

    assert (result.exit_code, result.stdout) == (0, '+CSQ: 23,0\n+CCERTLIST: "ca.pem"\n')
    assert "> data \\*\\*\\*\\*\\*" in transcript.read_text()


@pytest.mark.parametrize(("data", "complaint"), [(b" a b \n", ""), (b"", "0 bytes"), (b"four\n", "4 bytes")])
def test_session_line_after_command_is_its_data(
    simulator: SimulatedModem, tmp_path: Path, data: bytes, complaint: str
) -> None:
    commands = b'AT+CCERTDOWN="ca.pem",5\n' + data
    result = run("record", "-d", simulator.port, tmp_path / "session.txt", stdin=commands)

    assert result.exit_code == bool(complaint), result.output
    assert complaint in result.stderr


def test_session_goes_on_after_error(simulator: SimulatedModem, tmp_path: Path) -> None:
    result = run(
        "record", "-d", simulator.port, tmp_path / "session.txt", stdin=b"AT+NONSENSE\nhello\nAT+CSQ\n"
    )

    assert (result.exit_code, result.stdout) == (1, "+CSQ: 23,0\n")
    assert "Error: AT+NONSENSE was answered with ERROR" in result.stderr


def test_session_on_terminal(simulator: SimulatedModem, tmp_path: Path) -> None:
    with Terminal("record", "-d", simulator.port, tmp_path / "session.txt") as terminal:
        terminal.wait_for(b"AT session> ")
        terminal.press(b'AT+CCERTDOWN="ca.pem",5\r')
        terminal.wait_for(b"\n> ")
        terminal.press(b"hello\r")
        terminal.wait_for(b"OK")
        simulator.urc("+CREG: 5")
        terminal.wait_for(rb"\+CREG: 5")
        terminal.press(b"\x04")

        assert terminal.end() == 0


def test_ctrl_c_ends_session(simulator: SimulatedModem, tmp_path: Path) -> None:
    with Terminal("record", "-d", simulator.port, tmp_path / "session.txt") as terminal:
        terminal.wait_for(b"AT session> ")
        terminal.press(b"\x03")

        assert terminal.end() == 130
    assert b"Traceback" not in terminal.shown


def test_replay_of_other_file_exits_with_2(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("buy milk\n")

    result = run("replay", file)

    assert (result.exit_code, result.stdout) == (2, "")
    assert "line 1" in result.stderr


@pytest.mark.parametrize("transport", [[], ["--tcp", "0"]])
def test_simulate_serves_a_module(transport: list[str]) -> None:
    imei = "864598060000007"
    with process("simulate", *transport, "--imei", imei, "--profile", "a76xx") as module:
        assert module.stdout
        port = module.stdout.readline().decode().strip()
        if transport:
            assert port.startswith("socket://127.0.0.1:")
        assert lines_of("at", "-d", port, "AT+CGSN") == [imei]
        module.send_signal(signal.SIGINT)

        assert module.wait(timeout=30) == 130


def test_simulate_shows_a_fault() -> None:
    with process("simulate", "--fault", "apn", "--fault", "clock") as module:
        assert module.stdout
        port = module.stdout.readline().decode().strip()
        result = run("doctor", "-d", port)
        module.send_signal(signal.SIGINT)
        module.wait(timeout=30)

    assert result.exit_code == 1
    failures = [line.split()[1] for line in result.stdout.splitlines() if line.startswith("failed")]
    assert failures == ["PDP", "clock"]


def test_simulate_refuses_bad_options(tmp_path: Path) -> None:
    assert run("simulate", "--imei", "12").exit_code == 2
    assert run("simulate", "--profile", "sim800").exit_code == 2
    assert run("simulate", "--fault", "rain").exit_code == 2


def test_private_simulator_reaches_named_broker(host: HostClient, base: str) -> None:
    host.publish(base, b"kept", qos=1, retain=True)

    result = run("sub", "-d", "simulator", "-h", "127.0.0.1", "-p", host.port, "-t", base, "-C", "1")

    assert (result.exit_code, result.stdout) == (0, "kept\n")


def test_demo() -> None:
    with process("demo") as demo:
        output, errors = demo.communicate(timeout=30)

    assert (demo.returncode, errors) == (0, b"")
    assert re.search(rb"^started .*mosquitto", output)
    assert b"10 of 10 messages came back" in output


def test_demo_on_real_module_needs_a_broker() -> None:
    result = run("demo", "-d", "/dev/ttyUSB2")

    assert result.exit_code == 2
    assert "--url" in result.stderr


def test_session_shows_results_of_mqtt_commands(simulator: SimulatedModem, tmp_path: Path) -> None:
    with process("record", "-d", simulator.port, tmp_path / "session.txt") as session:
        assert session.stdin
        assert session.stdout
        session.stdin.write(b"AT+CMQTTSTART\n")
        session.stdin.flush()
        assert session.stdout.readline() == b"+CMQTTSTART: 0\n"
        output, errors = session.communicate(b"AT+CMQTTDISC?\n", timeout=30)

    assert output == b"+CMQTTDISC: 0,1\n+CMQTTDISC: 1,1\n"
    assert session.returncode == 0, errors


def test_device_options_belong_to_recorded_command(tmp_path: Path) -> None:
    result = run("record", "-d", "simulator", tmp_path / "session.txt", "info")

    assert result.exit_code == 2
    assert "record FILE info --device" in result.stderr


def test_log_record_cannot_control_the_terminal(simulator: SimulatedModem) -> None:
    result = run("at", "-d", simulator.port, "-v", "AT+\x1b]0;taken over\x07")

    assert "\x1b" not in result.stderr
    assert "taken over" in result.stderr
