"""`sub`: messages of an ordinary client on the same broker, as text, bytes and JSON."""

import base64
import json
import signal
import uuid
from datetime import UTC, datetime

import pytest

from cli.terminal_command import Terminal, lines_of, process, run
from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture
def to_broker(simulator: SimulatedModem, mosquitto: MosquittoBroker) -> list[object]:
    """The options that lead to the simulated module and to Mosquitto."""
    return ["-d", simulator.port, "-h", "127.0.0.1", "-p", mosquitto.plain]


@pytest.fixture
def retained(host: HostClient, base: str) -> str:
    """A filter; the broker keeps three messages that match it."""
    for topic, payload in (("a", b"text"), ("b", b"\xff\x00\r\n"), ("c", "grün".encode())):
        host.publish(f"{base}/{topic}", payload, qos=1, retain=True)
    return f"{base}/#"


def test_payloads_are_written_unchanged(to_broker: list[object], retained: str) -> None:
    result = run("sub", *to_broker, "-t", retained, "-C", "3")

    assert result.stdout_bytes == b"text\n\xff\x00\r\n\n" + "grün\n".encode()


def test_verbose_without_line_feeds(to_broker: list[object], retained: str, base: str) -> None:
    result = run("sub", *to_broker, "-t", retained, "-T", f"{base}/b", "-C", "2", "-v", "-N")

    assert result.stdout_bytes == f"{base}/a text{base}/c grün".encode()


def test_json_lines(to_broker: list[object], retained: str, base: str) -> None:
    messages = [json.loads(line) for line in lines_of("sub", *to_broker, "-t", retained, "-C", "3", "--json")]

    assert [message["topic"] for message in messages] == [f"{base}/{name}" for name in "abc"]
    assert [message["payloadlen"] for message in messages] == [4, 4, 5]
    assert (messages[0]["payload"], messages[2]["payload"]) == ("text", "grün")
    assert base64.b64decode(messages[1]["payload_base64"]) == b"\xff\x00\r\n"
    age = datetime.now(UTC) - datetime.fromisoformat(messages[0]["tst"])
    assert 0 <= age.total_seconds() < 10


def test_fewer_messages_than_count_exits_with_1(to_broker: list[object], base: str) -> None:
    result = run("sub", *to_broker, "-t", base, "-C", "1", "-W", "0.1")

    assert result.exit_code == 1
    assert "0 of 1 messages arrived within 0.1 s" in result.stderr


def test_wait_without_count_exits_with_0(to_broker: list[object], retained: str) -> None:
    assert len(lines_of("sub", *to_broker, "-t", retained, "-W", "0.3", "--json")) == 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [([], "name a topic filter"), (["-t", "a", "-c"], "--id"), (["-t", "a", "-C", "0"], "--count")],
)
def test_wrong_usage(to_broker: list[object], arguments: list[str], complaint: str) -> None:
    result = run("sub", *to_broker, *arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr


def test_ctrl_c_exits_with_130_and_leaves_module_clean(
    to_broker: list[object], simulator: SimulatedModem, host: HostClient, base: str
) -> None:
    host.publish(base, b"first", qos=1, retain=True)
    with Terminal("sub", *to_broker, "-t", base) as terminal:
        terminal.wait_for(rb"first\r\n")
        terminal.press(b"\x03")

        assert terminal.end() == 130
    assert terminal.shown == b"first\r\n^C"
    assert simulator.received[-3:] == ["AT+CMQTTDISC=0", "AT+CMQTTREL=0", "AT+CMQTTSTOP"]


def test_payload_cannot_control_the_terminal(to_broker: list[object], host: HostClient, base: str) -> None:
    host.publish(base, b"\x1b]0;title\x07\xff\n\ttab", qos=1, retain=True)
    with Terminal("sub", *to_broker, "-t", base, "-C", "1") as terminal:
        assert terminal.end() == 0
    assert terminal.shown == b"\\x1b]0;title\\x07\\xff\r\n\ttab\r\n"


def test_broken_pipe_exits_with_141(
    to_broker: list[object], mosquitto: MosquittoBroker, host: HostClient, base: str
) -> None:
    client_id = f"pipe-{uuid.uuid4().hex}"
    with process("sub", *to_broker, "-t", base, "-i", client_id) as command:
        assert command.stdout
        assert command.stderr
        mosquitto.wait_for_log(f"Sending SUBACK to {client_id}")
        host.publish(base, b"first", qos=1)
        assert command.stdout.readline() == b"first\n"
        command.stdout.close()
        host.publish(base, b"second", qos=1)

        assert command.wait(timeout=30) == 141
        assert command.stderr.read() == b""


def test_slow_reader_gets_all_messages(
    to_broker: list[object], mosquitto: MosquittoBroker, host: HostClient, base: str
) -> None:
    client_id, count = f"slow-{uuid.uuid4().hex}", 2500
    messages = [b"%d %s" % (number, b"x" * 100) for number in range(count)]
    with process("sub", *to_broker, "-t", base, "-i", client_id, "-q", "1", "-C", count) as command:
        mosquitto.wait_for_log(f"Sending SUBACK to {client_id}")
        for message in messages:
            host.publish(base, message, qos=0)
        host.publish(base, b"last", qos=1)

        output, errors = command.communicate(timeout=30)

    assert (command.returncode, errors) == (0, b"")
    assert output.splitlines() == messages


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_closed_standard_error_exits_with_0(to_broker: list[object], retained: str, unbuffered: str) -> None:
    options = ["-t", retained, "-C", "3", "-N", "--log-level", "debug"]
    with process("sub", *to_broker, *options, env={"PYTHONUNBUFFERED": unbuffered}) as command:
        assert command.stderr
        assert command.stdout
        command.stderr.readline()
        command.stderr.close()

        assert command.stdout.read() == b"text\xff\x00\r\n" + "grün".encode()
        assert command.wait(timeout=30) == 0


def test_lost_connection_reconnects(
    to_broker: list[object],
    simulator: SimulatedModem,
    mosquitto: MosquittoBroker,
    host: HostClient,
    base: str,
) -> None:
    client_id = f"back-{uuid.uuid4().hex}"
    with process("sub", *to_broker, "-t", base, "-i", client_id, "-C", "1") as command:
        assert command.stderr
        mosquitto.wait_for_log(f"Sending SUBACK to {client_id}")
        simulator.drop_connection(0)
        assert (
            command.stderr.readline()
            == b"WARNING: client 0 lost its connection: +CMQTTCONNLOST with cause 1\n"
        )
        assert command.stderr.readline() == b"WARNING: client 0 is connected again\n"
        host.publish(base, b"after all", qos=1)

        assert command.stdout
        assert command.stdout.read() == b"after all\n"
        assert command.wait(timeout=30) == 0


def test_signal_ignored_by_nohup_stays_ignored(
    to_broker: list[object], mosquitto: MosquittoBroker, host: HostClient, base: str
) -> None:
    client_id = f"nohup-{uuid.uuid4().hex}"
    with process("sub", *to_broker, "-t", base, "-i", client_id, "-C", "1", started_by=["nohup"]) as command:
        mosquitto.wait_for_log(f"Sending SUBACK to {client_id}")
        command.send_signal(signal.SIGHUP)
        host.publish(base, b"still here", qos=1)

        assert command.communicate(timeout=30) == (b"still here\n", b"")
        assert command.returncode == 0


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_signal_leaves_module_clean(
    to_broker: list[object], simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str, name: str
) -> None:
    client_id = f"end-{uuid.uuid4().hex}"
    with process("sub", *to_broker, "-t", base, "-i", client_id) as command:
        mosquitto.wait_for_log(f"Sending SUBACK to {client_id}")
        command.send_signal(getattr(signal, name))

        assert command.wait(timeout=30) == 128 + getattr(signal, name)
        assert command.stderr
        assert command.stderr.read() == b""
    assert simulator.received[-1] == "AT+CMQTTSTOP"


def test_filter_in_url(simulator: SimulatedModem, mosquitto: MosquittoBroker, base: str) -> None:
    url = f"mqtt://127.0.0.1:{mosquitto.plain}/{base}/#"

    run("sub", "-d", simulator.port, "-L", url, "-W", "0.1")

    assert f"AT+CMQTTSUB=0,{len(base) + 2},0" in simulator.received
