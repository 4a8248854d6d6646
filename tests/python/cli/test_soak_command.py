"""`soak`: its counts and its exit codes."""

import json

import pytest

from cli.terminal_command import Terminal, lines_of, process, run
from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from simcom_mqtt.cli.echo_run import histogram, percentile
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture
def to_broker(simulator: SimulatedModem, mosquitto: MosquittoBroker) -> list[object]:
    """The options that lead to the simulated module and to Mosquitto."""
    return ["-d", simulator.port, "-h", "127.0.0.1", "-p", mosquitto.plain]


@pytest.mark.parametrize(("qos", "size"), [(0, 32), (1, 64), (2, 4096)])
def test_messages_come_back(to_broker: list[object], qos: int, size: int) -> None:
    (line,) = lines_of("soak", *to_broker, "-n", "20", "-q", qos, "-s", size, "--json")

    counts = json.loads(line)
    assert (counts["sent"], counts["received"], counts["lost"], counts["complaints"]) == (20, 20, 0, [])
    assert sum(counts["histogram"].values()) == 20
    assert 0 < counts["latency"]["p50"] <= counts["latency"]["p99"] <= counts["latency"]["max"]


def test_report_is_plain_in_a_pipe(to_broker: list[object]) -> None:
    lines = lines_of("soak", *to_broker, "-n", "5")

    assert lines[:3] == ["sent                 5", "received             5", "lost                 0"]
    assert "\x1b" not in "".join(lines)
    assert "█" not in "".join(lines)


def test_bar_counters_and_histogram_on_terminal(to_broker: list[object]) -> None:
    with Terminal("soak", *to_broker, "-n", "30", "--interval", "0.02") as terminal:
        terminal.wait_for(rb"\d+/30")
        assert terminal.end() == 0

    assert "━".encode() in terminal.shown
    assert b"in flight " in terminal.shown
    assert "█".encode() in terminal.shown
    assert b"\x1b[?25h" in terminal.shown  # the cursor is shown again


def test_refused_publish_exits_with_1(to_broker: list[object], simulator: SimulatedModem) -> None:
    simulator.fail_next("CMQTTPUB", 17)

    result = run("soak", *to_broker, "-n", "5", "--json")

    assert result.exit_code == 1
    assert (json.loads(result.stdout)["refused"], json.loads(result.stdout)["received"]) == (1, 4)
    assert "Error: 1 refused by the module" in result.stderr


def test_run_stops_after_ten_failures_in_a_row(to_broker: list[object], simulator: SimulatedModem) -> None:
    for _ in range(10):
        simulator.fail_next("CMQTTPUB", 17)

    result = run("soak", *to_broker, "-n", "50", "--json")

    assert result.exit_code == 1
    assert "10 publishes in a row failed" in result.stderr
    assert json.loads(result.stdout)["refused"] == 10


def test_damaged_message_counts_as_lost(to_broker: list[object], simulator: SimulatedModem) -> None:
    simulator.damage_next("drop", offset=60)

    result = run("soak", *to_broker, "-n", "5", "--json", "--wait", "0.1")

    counts = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (counts["lost"], counts["damaged"]) == (1, 1)


def test_altered_message_exits_with_1(to_broker: list[object], simulator: SimulatedModem) -> None:
    simulator.damage_next("flip", offset=-30)

    result = run("soak", *to_broker, "-n", "5", "--json", "--wait", "0.1")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["altered"] == 1


def test_duplicate_exits_with_1(to_broker: list[object], host: HostClient) -> None:
    host.subscribe("simcom-mqtt/soak/#")
    with process("soak", *to_broker, "-n", "20", "--interval", "0.05", "--json") as command:
        message = host.get()
        host.publish(message.topic, bytes(message.payload))
        output, errors = command.communicate(timeout=30)

    assert command.returncode == 1
    assert json.loads(output)["duplicates"] == 1
    assert b"Error: 1 duplicated" in errors


def test_slow_message_exceeds_max_latency(to_broker: list[object], simulator: SimulatedModem) -> None:
    simulator.delay_next("CMQTTTOPIC", 0.2)

    result = run("soak", *to_broker, "-n", "3", "--max-latency", "0.1", "--json")

    assert result.exit_code == 1
    assert "the slowest took" in result.stderr


def test_reconnect_is_counted(to_broker: list[object], simulator: SimulatedModem) -> None:
    # The broker does not repeat the message that it was delivering when the connection broke.
    options = ["-n", "60", "--interval", "0.02", "-q", "1", "--wait", "0.1"]
    with Terminal("soak", *to_broker, *options) as terminal:
        terminal.wait_for(rb"[1-9]\d*/60")
        simulator.drop_connection(0)
        terminal.end()

    assert b"client 0 is connected again" in terminal.shown
    reconnects = terminal.wait_for(rb"reconnects +\x1b\[0m(\d+)")
    assert reconnects[1] == b"1"


def test_ctrl_c_shows_report(to_broker: list[object], simulator: SimulatedModem) -> None:
    with Terminal("soak", *to_broker, "-n", "100000") as terminal:
        terminal.wait_for(rb"[1-9]\d*/100000")
        terminal.press(b"\x03")

        assert terminal.end() == 130
    assert b"latency p50" in terminal.shown
    assert b"Error" not in terminal.shown
    assert simulator.received[-1] == "AT+CMQTTSTOP"


def test_histogram_and_percentile() -> None:
    assert histogram([0.0004, 0.0011, 0.0015, 0.004]) == [
        ("<= 0.5 ms", 1),
        ("<= 1 ms", 0),
        ("<= 2 ms", 2),
        ("<= 5 ms", 1),
    ]
    assert histogram([9000.0]) == [("> 500 s", 1)]
    assert [percentile([1, 2, 3, 4], percent) for percent in (1, 50, 51, 99, 100)] == [1, 2, 3, 4, 4]
