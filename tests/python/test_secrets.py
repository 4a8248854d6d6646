"""Passwords and keys are in no log, transcript, error, warning or result, with any fault on the line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from mosquitto_broker import PASSWORD, USER, MosquittoBroker
from simcom_mqtt import MqttClient, SimcomMqtt
from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simcom_mqtt.simulator.faults import STAGES, Gap
from split_line import SplitLine
from visible_output import VisibleOutput

KEY_NAME = "module-key.pem"
COMMAND_TIMEOUT = 0.25
CALL_TIMEOUT = 1.0
URC = b"\r\n+CGEV: ME PDN ACT 1\r\n"

Fault = Callable[[SimulatedModem, str], None]


@pytest.fixture
def output(tmp_path: Path) -> Iterator[VisibleOutput]:
    with VisibleOutput(tmp_path) as output:
        yield output


@pytest.fixture
def key(mosquitto: MosquittoBroker) -> bytes:
    return mosquitto.authority.issue_cert("module@rig.example").private_key_pem.bytes()


class SecretSession:
    """Calls that use secrets, on a module with echo on."""

    def __init__(self, output: VisibleOutput, broker: MosquittoBroker, key: bytes) -> None:
        self._output = output
        self._url = f"mqtt://127.0.0.1:{broker.password}"
        self._address = f"tcp://127.0.0.1:{broker.password}"
        self._key = key

    def open(self, port: str) -> SimcomMqtt:
        modem = SimcomMqtt(port, command_timeout=COMMAND_TIMEOUT, transcript=self._output.transcript)
        modem.command("ATE1")
        return modem

    def connect(self, modem: SimcomMqtt) -> MqttClient | None:
        return self._output.collect(
            lambda: modem.connect(
                self._url,
                client_id="secretive",
                index=0,
                username=USER,
                password=PASSWORD,
                timeout=CALL_TIMEOUT,
            )
        )

    def query_clients(self, modem: SimcomMqtt) -> None:
        """Queries the clients: the module answers with the password."""
        for client in self._output.collect(modem.clients) or []:
            self._output.collect(client.query)

    def connect_by_command(self, modem: SimcomMqtt, index: int = 1) -> None:
        line = f'AT+CMQTTCONNECT={index},"{self._address}",60,1,"{USER}","{PASSWORD}"'
        self._output.collect(lambda: modem.command(line))
        self._output.collect(lambda: modem.command(line.replace("=", " = ").replace('"', "")))

    def upload(self, modem: SimcomMqtt) -> None:
        self._output.collect(lambda: modem.upload_certificate(KEY_NAME, self._key, timeout=CALL_TIMEOUT))

    def upload_by_command(self, modem: SimcomMqtt) -> None:
        line = f'AT+CCERTDOWN="by-hand.pem",{len(self._key)}'
        self._output.collect(lambda: modem.command(line, self._key))
        self._output.collect(lambda: modem.command(line, self._key[:-1]))

    def assert_hidden(self) -> None:
        inside = "".join(self._key.decode().splitlines()[1:-1])
        self._output.assert_hides(PASSWORD, *self._key.decode().splitlines()[1:-1], inside)


@pytest.fixture
def session(output: VisibleOutput, mosquitto: MosquittoBroker, key: bytes) -> SecretSession:
    return SecretSession(output, mosquitto, key)


def use_all_secrets(session: SecretSession, modem: SimcomMqtt) -> None:
    session.connect(modem)
    session.query_clients(modem)
    session.connect_by_command(modem)
    session.upload(modem)
    session.upload_by_command(modem)


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("profile", PROFILES)
def test_secrets_are_hidden_without_faults(
    session: SecretSession, output: VisibleOutput, profile: str, seed: int | None
) -> None:
    with SimulatedModem(profile=profile, seed=seed) as simulator, session.open(simulator.port) as modem:
        use_all_secrets(session, modem)

        assert {"secretive"} == {client.client_id for client in modem.clients()}
        assert modem.certificates() == [KEY_NAME, "by-hand.pem"]
    session.assert_hidden()
    assert USER in output.everything(), "only secrets are hidden"


@pytest.mark.parametrize("profile", PROFILES)
def test_secrets_are_hidden_when_read_byte_by_byte(session: SecretSession, profile: str) -> None:
    with (
        SimulatedModem(profile=profile) as simulator,
        SplitLine(simulator.port, piece=1) as line,
        session.open(line.port) as modem,
    ):
        line.read_by(modem)
        use_all_secrets(session, modem)
    session.assert_hidden()


COMMANDS = ("CMQTTCONNECT", "CMQTTCONNECT?", "CCERTDOWN")


def mute(stage: Any) -> Fault:
    return lambda simulator, command: simulator.mute_next(command, stage)


def late(stage: Any) -> Fault:
    return lambda simulator, command: simulator.delay_next(command, COMMAND_TIMEOUT * 1.5, stage)


def failed(code: int | None) -> Fault:
    return lambda simulator, command: simulator.fail_next(command.removesuffix("?"), code)


def mixed_with(line: bytes) -> Fault:
    def inject(simulator: SimulatedModem, _command: str) -> None:
        for gap in get_args(Gap):
            simulator.inject_at(gap, line)

    return inject


def when_read(method: str, *arguments: object) -> Fault:
    """Returns a fault that is injected as soon as the module has read the command."""

    def arm(simulator: SimulatedModem, command: str) -> None:
        class Received(list[str]):
            def append(self, line: str) -> None:
                super().append(line)
                if command in line:
                    simulator._module.received = list(self)
                    simulator._loop.post(lambda: getattr(simulator, method)(*arguments))

        simulator._module.received = Received()

    return arm


FAULTS = {
    **{f"mute {stage}": mute(stage) for stage in STAGES},
    **{f"late {stage}": late(stage) for stage in STAGES},
    "failed": failed(31),
    "refused": failed(None),
    "mixed with a URC": mixed_with(URC),
    "mixed with garbage": mixed_with(b'"\x00\xff'),
    "reboot": when_read("reboot"),
    "unplugged": when_read("unplug"),
    "connection dropped": when_read("drop_connection", 0),
    "network lost": when_read("lose_network"),
}


# Each kind of fault is combined with each firmware and with each command.
CELLS = [
    (fault, command, list(PROFILES)[(number + other) % len(PROFILES)])
    for number, fault in enumerate(FAULTS)
    for other, command in enumerate(COMMANDS)
]


@pytest.mark.parametrize(("fault", "command", "profile"), CELLS)
def test_secrets_are_hidden_during_a_fault(
    session: SecretSession, fault: str, command: str, profile: str
) -> None:
    with SimulatedModem(profile=profile) as simulator, session.open(simulator.port) as modem:
        FAULTS[fault](simulator, command)
        use_all_secrets(session, modem)
    session.assert_hidden()


@pytest.mark.parametrize("replacement", [b"", b'"', b",", b"x"], ids=["lost", "quote", "comma", "letter"])
@pytest.mark.parametrize("profile", PROFILES)
def test_secret_of_another_process_is_hidden_in_a_damaged_answer(
    session: SecretSession,
    output: VisibleOutput,
    mosquitto: MosquittoBroker,
    profile: str,
    replacement: bytes,
) -> None:
    """The driver never sent this password, so only the syntax of the line shows it."""
    beginning = b"+CMQTTCONNECT: 0,"
    with SimulatedModem(profile=profile) as simulator, SplitLine(simulator.port) as line:
        with SimcomMqtt(line.port) as earlier:
            url = f"mqtt://127.0.0.1:{mosquitto.password}"
            earlier.connect(url, client_id="left", username=USER, password=PASSWORD)
            length = len(earlier.command("AT+CMQTTCONNECT?")[0]) - len(PASSWORD) - 1
            earlier.close()
        with session.open(line.port) as modem:
            for at in range(length):
                line.alter_answer(beginning, at, replacement)
                session.query_clients(modem)
    session.assert_hidden()
