"""The command line options and the environment variable."""

import re

import pytest

from mosquitto_broker import MosquittoBroker
from plugin.conftest import Run
from simcom_mqtt.simulator import SimulatedModem

PORT = "def test_it(simcom): print('port is', simcom.port)"
BROKER = "def test_it(simcom_broker): print('broker is', simcom_broker.url)"


def test_port_from_option(run: Run, simulator: SimulatedModem) -> None:
    result = run(PORT, "-s", "--simcom-port", simulator.port, "--simcom-baudrate", 460_800)

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*port is {simulator.port}"])


def test_port_from_environment_variable(
    run: Run, simulator: SimulatedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMCOM_PORT", f" {simulator.port} , /dev/second,")

    result = run(PORT, "-s")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"*port is {simulator.port}", "not tested: /dev/second.*-n 2 --dist each*"])


def test_option_overrides_environment_variable(
    run: Run, simulator: SimulatedModem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMCOM_PORT", "/dev/missing")

    run(PORT, "--simcom-port", simulator.port).assert_outcomes(passed=1)


def test_baud_rate_reaches_the_port(run: Run, simulator: SimulatedModem, pytester: pytest.Pytester) -> None:
    run(
        PORT, "--simcom-port", simulator.port, "--simcom-baudrate", 9600, "--simcom-log-dir", "logs"
    ).assert_outcomes(passed=1)

    (transcript,) = (pytester.path / "logs").iterdir()
    assert re.match(r"# simcom-mqtt transcript 1, port .*, 9600 baud\n", transcript.read_text())


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--simcom-baudrate", "fast", "'fast' is not a baud rate"),
        ("--simcom-baudrate", "0", "'0' is not a baud rate"),
        ("--simcom-broker", "hivemq", "'hivemq' is not a broker: give auto, mosquitto, amqtt or HOST:PORT"),
        ("--simcom-broker", "host:65536", "'host:65536' is not a broker"),
        ("--simcom-broker", ":1883", "':1883' is not a broker"),
    ],
)
def test_wrong_value_is_usage_error(run: Run, option: str, value: str, complaint: str) -> None:
    result = run("", option, value)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{complaint}*"])


@pytest.mark.parametrize("kind", ["auto", "mosquitto", "amqtt"])
def test_broker_is_started(run: Run, kind: str) -> None:
    result = run(BROKER + "\ndef test_host(simcom_host): pass", "-s", "--simcom-broker", kind)

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["*broker is mqtt://127.0.0.1:*"])


def test_running_broker_is_used(run: Run, mosquitto: MosquittoBroker) -> None:
    result = run(BROKER, "-s", "--simcom-broker", f"127.0.0.1:{mosquitto.plain}")

    result.stdout.fnmatch_lines([f"*broker is mqtt://127.0.0.1:{mosquitto.plain}"])


def test_broker_with_ipv6_address(run: Run) -> None:
    result = run(BROKER, "-s", "--simcom-broker", "[::1]:1883")

    result.stdout.fnmatch_lines(["*broker is mqtt://[[]::1[]]:1883"])


def test_real_module_needs_named_broker(run: Run, simulator: SimulatedModem) -> None:
    result = run("def test_it(simcom_client): pass", "--simcom-port", simulator.port)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*a broker that its mobile network reaches*--simcom-broker=HOST:PORT*"])


def test_missing_broker_fails_the_test(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)

    result = run(BROKER, "--simcom-broker", "mosquitto")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["no broker: *apt-get install mosquitto*--simcom-broker=HOST:PORT"])
    result.stdout.no_fnmatch_line("*Traceback*")
