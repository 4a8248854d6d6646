"""Data entry faults: a prompt that is missing, late or refused, lost data, a port left in data entry.

In each case the channel is back in command mode within its timeout, no data byte runs as a command, and
half-entered data has no effect on the broker.
"""

import os
import re
import tty
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import monotonic

import pytest

from all_pairs import all_pairs
from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from simcom_mqtt import Message, MqttClient, SimcomError, SimcomMqtt
from simcom_mqtt.simulator import PROFILES, SimulatedModem
from split_line import SplitLine

COMMAND_TIMEOUT = 0.4
BACK_WITHIN = 6.0
"""Seconds: the command timeout, the sync probe behind the padding, an allowance for a slow machine."""
EVIL = b"AT+CRESET\r\nAT+EVIL\r" * 10
EXPECTED_LINES = re.compile(r"AT|ATE0|AT\+(CGSN|CSQ|CCERT\w+(=\S+)?|CMQTT\w+(=\?|\?|=\S+)?)|\udcff+")
"""Lines that the driver may send: none of `EVIL`. A topic is padded with bytes that are not UTF-8."""


@dataclass
class DataEntryBench:
    """Two clients of a module on a line that can lose bytes; the second is not connected."""

    module: SimulatedModem
    line: SplitLine
    modem: SimcomMqtt
    client: MqttClient
    second: MqttClient
    host: HostClient
    topic: str

    def publish(self) -> None:
        self.client.publish(f"{self.topic}/evil", EVIL, 1, timeout=2)

    def check_traffic(self) -> None:
        """Checks that commands and messages work both ways, and that nothing else was sent."""
        assert self.modem.signal_quality().raw == "+CSQ: 23,0"
        with self.client.capture() as inbox:
            self.client.publish(f"{self.topic}/good", b"good", 1)
            arrived = self.host.get()
            assert (arrived.topic, arrived.payload) == (f"{self.topic}/good", b"good")
            assert inbox.get() == Message(f"{self.topic}/good", b"good", self.client.index)
        assert self.client.is_connected()
        assert self.modem.subscribed_topics() == [f"{self.topic}/#".encode()]
        assert self.modem.certificates() == []
        assert self.host.is_empty()
        assert [line for line in self.module.received if not EXPECTED_LINES.fullmatch(line)] == []


ENTRIES: dict[str, Callable[[DataEntryBench], object]] = {
    "CMQTTTOPIC": DataEntryBench.publish,
    "CMQTTPAYLOAD": DataEntryBench.publish,
    "CMQTTSUB": lambda bench: bench.client.subscribe(EVIL, 1, timeout=2),
    "CMQTTUNSUB": lambda bench: bench.client.unsubscribe(EVIL, timeout=2),
    "CMQTTWILLTOPIC": lambda bench: bench.second.set_will(EVIL, EVIL),
    "CMQTTWILLMSG": lambda bench: bench.second.set_will(f"{bench.topic}/will", EVIL),
    "CCERTDOWN": lambda bench: bench.modem.upload_certificate("evil.pem", EVIL, timeout=1),
}
FAULTS: dict[str, Callable[[DataEntryBench, str], None]] = {
    "no prompt": lambda bench, command: bench.module.mute_next(command, "prompt"),
    "late prompt": lambda bench, command: bench.module.delay_next(command, 1.0, "prompt"),
    "refused": lambda bench, command: bench.module.fail_next(command),
    "one byte lost": lambda bench, command: bench.line.lose_data_of(f"AT+{command}=".encode(), 1),
    "many bytes lost": lambda bench, command: bench.line.lose_data_of(f"AT+{command}=".encode(), 30),
}
OPEN_ENTRIES = {
    "sim767x": "AT+CMQTTTOPIC=0,500",
    "a76xx": "AT+CMQTTPAYLOAD=0,4096",
    "sim7600": "AT+CMQTTWILLMSG=1,1024,1",
}
FACTORS = (tuple(ENTRIES), tuple(FAULTS), tuple(PROFILES))
CASES = [
    [values[position] for values, position in zip(FACTORS, combination, strict=True)]
    for combination in all_pairs([len(values) for values in FACTORS])
]
"""Cases that cover every pair of command, fault and firmware."""


@pytest.fixture
def bench(profile: str, mosquitto: MosquittoBroker, host: HostClient, base: str) -> Iterator[DataEntryBench]:
    host.subscribe(f"{base}/#")
    with (
        SimulatedModem(broker=f"127.0.0.1:{mosquitto.plain}", profile=profile) as module,
        SplitLine(module.port) as line,
        SimcomMqtt(line.port, command_timeout=COMMAND_TIMEOUT) as modem,
    ):
        client = modem.connect("broker")
        client.subscribe(f"{base}/#", 1)
        second = modem.acquire(f"{base}/second", 1)
        with client.capture() as inbox:
            client.publish(
                f"{base}/first", b"first"
            )  # makes the driver query the payload limit, which it does once
            assert (host.get().payload, inbox.get().payload) == (b"first", b"first")
        yield DataEntryBench(module, line, modem, client, second, host, base)


@pytest.mark.parametrize(("command", "fault", "profile"), CASES)
def test_channel_recovers_from_data_entry_fault(
    bench: DataEntryBench, profile: str, command: str, fault: str
) -> None:
    FAULTS[fault](bench, command)

    with pytest.raises(SimcomError):
        ENTRIES[command](bench)
    began = monotonic()
    assert bench.modem.command("AT", timeout=BACK_WITHIN) == []

    assert monotonic() - began < BACK_WITHIN
    bench.check_traffic()


@pytest.mark.parametrize(("profile", "command"), OPEN_ENTRIES.items())
def test_open_recovers_a_port_left_in_data_entry(
    profile: str, command: str, mosquitto: MosquittoBroker, host: HostClient, base: str
) -> None:
    host.subscribe(f"{base}/#")
    with SimulatedModem(broker=f"127.0.0.1:{mosquitto.plain}", profile=profile) as module:
        with SimcomMqtt(module.port) as modem:
            modem.start()
            client = modem.acquire("first", 0)
            client.connect("broker")
            modem.acquire("second", 1)
            modem.close()
        leave_in_data_entry(module, command)

        with SimcomMqtt(module.port) as modem, modem.connect("broker", client_id="first") as client:
            client.publish(f"{base}/good", b"", 1)
            arrived = host.get()

        assert (arrived.topic, arrived.payload) == (f"{base}/good", b"")
        assert host.is_empty()
        assert [line for line in module.received if not EXPECTED_LINES.fullmatch(line)] == []


def leave_in_data_entry(module: SimulatedModem, command: str) -> None:
    """Enters half of the data and closes the port."""
    port = os.open(module.port, os.O_RDWR | os.O_NOCTTY)
    tty.setraw(port)
    os.write(port, command.encode() + b"\r")
    output = b""
    while b"\r\n>" not in output:
        output += os.read(port, 4096)
    os.write(port, EVIL)
    os.close(port)
