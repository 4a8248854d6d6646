"""Passwords and keys stand in no log, transcript, error, warning or result, whatever happens on the line."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from mosquitto_broker import PASSWORD, USER, MosquittoBroker
from simcom_mqtt import MqttClient, SimcomMqtt
from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simcom_mqtt.simulator.faults import STAGES, Gap
from split_line import SplitLine
from what_is_shown import WhatIsShown

KEY_NAME = "module-key.pem"
SHORT_TIME = 0.4
URC = b"\r\n+CGEV: ME PDN ACT 1\r\n"

Strike = Callable[[SimulatedModem, str], None]


@pytest.fixture
def shown(tmp_path: Path) -> Iterator[WhatIsShown]:
    with WhatIsShown(tmp_path) as shown:
        yield shown


@pytest.fixture
def key(mosquitto: MosquittoBroker) -> bytes:
    return mosquitto.authority.issue_cert("module@rig.example").private_key_pem.bytes()


class Rig:
    """A module whose echo is on, and what a script does that has secrets."""

    def __init__(self, shown: WhatIsShown, broker: MosquittoBroker, key: bytes) -> None:
        self._shown = shown
        self._url = f"mqtt://127.0.0.1:{broker.password}"
        self._address = f"tcp://127.0.0.1:{broker.password}"
        self._key = key

    def open(self, port: str) -> SimcomMqtt:
        modem = SimcomMqtt(port, command_timeout=SHORT_TIME, transcript=self._shown.transcript)
        modem.command("ATE1")
        return modem

    def connect(self, modem: SimcomMqtt) -> MqttClient | None:
        return self._shown.of(
            lambda: modem.connect(
                self._url, client_id="secretive", index=0, username=USER, password=PASSWORD, timeout=2
            )
        )

    def ask(self, modem: SimcomMqtt) -> None:
        """The module tells the password, if it is asked."""
        for client in self._shown.of(modem.clients) or []:
            self._shown.of(client.query)

    def connect_by_hand(self, modem: SimcomMqtt, index: int = 1) -> None:
        line = f'AT+CMQTTCONNECT={index},"{self._address}",60,1,"{USER}","{PASSWORD}"'
        self._shown.of(lambda: modem.command(line))
        self._shown.of(lambda: modem.command(line.replace("=", " = ").replace('"', "")))

    def upload(self, modem: SimcomMqtt) -> None:
        self._shown.of(lambda: modem.upload_certificate(KEY_NAME, self._key, timeout=2))

    def upload_by_hand(self, modem: SimcomMqtt) -> None:
        line = f'AT+CCERTDOWN="by-hand.pem",{len(self._key)}'
        self._shown.of(lambda: modem.command(line, self._key))
        self._shown.of(lambda: modem.command(line, self._key[:-1]))

    def assert_hidden(self) -> None:
        inside = "".join(self._key.decode().splitlines()[1:-1])
        self._shown.assert_hides(PASSWORD, *self._key.decode().splitlines()[1:-1], inside)


@pytest.fixture
def rig(shown: WhatIsShown, mosquitto: MosquittoBroker, key: bytes) -> Rig:
    return Rig(shown, mosquitto, key)


def play(rig: Rig, modem: SimcomMqtt) -> None:
    rig.connect(modem)
    rig.ask(modem)
    rig.connect_by_hand(modem)
    rig.upload(modem)
    rig.upload_by_hand(modem)


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("profile", PROFILES)
def test_when_all_goes_well(rig: Rig, shown: WhatIsShown, profile: str, seed: int | None) -> None:
    with SimulatedModem(profile=profile, seed=seed) as simulator, rig.open(simulator.port) as modem:
        play(rig, modem)

        assert {"secretive"} == {client.client_id for client in modem.clients()}
        assert modem.certificates() == [KEY_NAME, "by-hand.pem"]
    rig.assert_hidden()
    assert USER in shown.everything(), "it is the secrets alone that are hidden"


@pytest.mark.parametrize("profile", PROFILES)
def test_read_a_byte_at_a_time(rig: Rig, profile: str) -> None:
    with (
        SimulatedModem(profile=profile) as simulator,
        SplitLine(simulator.port, piece=1) as line,
        rig.open(line.port) as modem,
    ):
        line.read_by(modem)
        play(rig, modem)
    rig.assert_hidden()


COMMANDS = ("CMQTTCONNECT", "CMQTTCONNECT?", "CCERTDOWN")


def mute(stage: Any) -> Strike:
    return lambda simulator, command: simulator.mute_next(command, stage)


def late(stage: Any) -> Strike:
    return lambda simulator, command: simulator.delay_next(command, SHORT_TIME * 1.5, stage)


def failed(code: int | None) -> Strike:
    return lambda simulator, command: simulator.fail_next(command.removesuffix("?"), code)


def mixed_with(line: bytes) -> Strike:
    def inject(simulator: SimulatedModem, _command: str) -> None:
        for gap in get_args(Gap):
            simulator.inject_at(gap, line)

    return inject


def struck_by(fault: str, *arguments: object) -> Strike:
    """As soon as the module has read the command."""

    def arm(simulator: SimulatedModem, command: str) -> None:
        class Received(list[str]):
            def append(self, line: str) -> None:
                super().append(line)
                if command in line:
                    simulator._module.received = list(self)
                    simulator._loop.post(lambda: getattr(simulator, fault)(*arguments))

        simulator._module.received = Received()

    return arm


STRIKES = {
    **{f"mute {stage}": mute(stage) for stage in STAGES},
    **{f"late {stage}": late(stage) for stage in STAGES},
    "failed": failed(31),
    "refused": failed(None),
    "mixed with a URC": mixed_with(URC),
    "mixed with garbage": mixed_with(b'"\x00\xff'),
    "reboot": struck_by("reboot"),
    "unplugged": struck_by("unplug"),
    "connection dropped": struck_by("drop_connection", 0),
    "network lost": struck_by("lose_network"),
}


# Each kind of fault meets each firmware, and each command.
CELLS = [
    (strike, command, list(PROFILES)[(number + other) % len(PROFILES)])
    for number, strike in enumerate(STRIKES)
    for other, command in enumerate(COMMANDS)
]


@pytest.mark.parametrize(("strike", "command", "profile"), CELLS)
def test_in_the_middle_of_a_fault(rig: Rig, strike: str, command: str, profile: str) -> None:
    with SimulatedModem(profile=profile) as simulator, rig.open(simulator.port) as modem:
        STRIKES[strike](simulator, command)
        play(rig, modem)
    rig.assert_hidden()


@pytest.mark.parametrize("replacement", [b"", b'"', b",", b"x"], ids=["lost", "quote", "comma", "letter"])
@pytest.mark.parametrize("profile", PROFILES)
def test_of_another_process_in_a_damaged_answer(
    rig: Rig, shown: WhatIsShown, mosquitto: MosquittoBroker, profile: str, replacement: bytes
) -> None:
    """Nothing was sent that it could be known by: the syntax of the line has to tell."""
    beginning = b"+CMQTTCONNECT: 0,"
    with SimulatedModem(profile=profile) as simulator, SplitLine(simulator.port) as line:
        with SimcomMqtt(line.port) as earlier:
            url = f"mqtt://127.0.0.1:{mosquitto.password}"
            earlier.connect(url, client_id="left", username=USER, password=PASSWORD)
            length = len(earlier.command("AT+CMQTTCONNECT?")[0]) - len(PASSWORD) - 1
            earlier.close()
        with rig.open(line.port) as modem:
            for at in range(length):
                line.alter_answer(beginning, at, replacement)
                rig.ask(modem)
    rig.assert_hidden()
