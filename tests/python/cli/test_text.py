"""Texts of the terminal: no Python names in what the driver says, and nothing that controls the terminal."""

import contextlib
import re
from collections.abc import Callable

import pytest

from cli.terminal_command import run
from scripted_module import ScriptedModule
from simcom_mqtt import MqttClient, SimcomError, SimcomMqtt
from simcom_mqtt.cli.text import printable, terminal_words
from simcom_mqtt.simulator import SimulatedModem

PYTHON_NAME = re.compile(
    r"\w+\(|\b(?!AT)[a-z_]+=(?!\?)|\b[a-z]+_[a-z]+\b|`\w+`|SimcomMqtt|Tls|Reconnect|Will\b"
)


def restart_service(modem: SimcomMqtt, client: MqttClient) -> None:
    leave(modem, client)
    modem.stop()
    modem.start()


def leave(_modem: SimcomMqtt, client: MqttClient) -> None:
    client.disconnect()
    client.release()


CALLS: dict[str, Callable[[SimcomMqtt, MqttClient], object]] = {
    "CMQTTSTART": restart_service,
    "CMQTTACCQ": lambda modem, _client: modem.acquire("second", 1),
    "CMQTTCONNECT": lambda modem, _client: modem.connect("mqtt://127.0.0.1:1", client_id="second", index=1),
    "CMQTTPUB": lambda _modem, client: client.publish("a", "b", timeout=0.2),
    "CMQTTSUB": lambda _modem, client: client.subscribe("a", timeout=0.2),
    "CMQTTREL": leave,
}
CODES = (None, *range(1, 36))


@pytest.mark.parametrize("command", CALLS)
def test_refusals_have_no_python_names(simulator: SimulatedModem, broker_url: str, command: str) -> None:
    with SimcomMqtt(simulator.port) as modem:
        texts = []
        for code in CODES:
            client = next(iter(modem.clients()), None) or modem.connect(broker_url, client_id="first")
            simulator.fail_next(command, code)
            with contextlib.suppress(SimcomError):
                try:
                    CALLS[command](modem, client)
                except SimcomError as error:
                    texts.append(terminal_words(str(error)))
                    leave(modem, client)

    assert len(texts) > 20
    assert [text for text in texts if PYTHON_NAME.search(without_command(text))] == []


def without_command(text: str) -> str:
    """Return a text without the AT command and the answer that it begins with."""
    return re.sub(r"^AT\+\S+ was answered with \S+", "", text)


def test_silent_module_has_no_python_names() -> None:
    with ScriptedModule() as module, SimcomMqtt(module.port, command_timeout=0.1) as modem:
        module.fall_silent()
        for call in (
            modem.signal_quality,
            lambda: modem.wait_for_network(0.1),
            lambda: modem.command("AT", timeout=0.1),
        ):
            with pytest.raises(SimcomError) as error:
                call()
            assert not PYTHON_NAME.search(terminal_words(str(error.value)))


@pytest.mark.parametrize(
    "port", ["/dev/missing", "/dev/null", "socket://127.0.0.1:1", "rfc2217://127.0.0.1:1"]
)
def test_port_error_has_no_python_names(port: str) -> None:
    with pytest.raises(SimcomError) as error:
        SimcomMqtt(port)

    assert not PYTHON_NAME.search(terminal_words(str(error.value)))


def test_busy_port_has_no_python_names(simulator: SimulatedModem) -> None:
    with SimcomMqtt(simulator.port), pytest.raises(SimcomError) as error:
        SimcomMqtt(simulator.port)

    assert not PYTHON_NAME.search(terminal_words(str(error.value)))


def test_argument_error_names_the_option() -> None:
    result = run("pub", "-d", "simulator", "-t", "a", "-m", "x", "-k", "0")

    assert result.exit_code == 2
    assert "--keepalive" in result.stderr


def test_control_characters_become_escapes() -> None:
    assert printable("a\x1b[2J\x9b\ud800\té\n") == "a\\x1b[2J\\x9b\\ud800\té\n"
