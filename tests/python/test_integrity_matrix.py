"""Messages that arrive in any gap of an answer: each once, in order, unchanged; each result to its command.

The cells cover every pair of values of two factors of `Cell`.
"""

from dataclasses import dataclass, fields
from itertools import combinations, product
from typing import get_args

import pytest

from all_pairs import all_pairs, pairs_in
from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from simcom_mqtt import Message, MqttClient, MqttError, ResultCode, SimcomMqtt
from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simcom_mqtt.simulator.faults import Gap
from simcom_mqtt.simulator.message_block import block_parts
from split_line import SplitLine

FAKE_BLOCK = (
    b"\r\n+CMQTTRXSTART: %d,3,2\r\n+CMQTTRXTOPIC: %d,3\r\na/b"
    b"\r\n+CMQTTRXPAYLOAD: %d,2\r\nhi\r\n+CMQTTRXEND: %d\r\n"
)
PAYLOADS = {
    "plain": b"21.5",
    "CRLF": b"\r\n\r\nline\r\n\r\r\n\n",
    "OK": b"before\r\nOK\r\nafter",
    "ERROR": b"\r\nERROR\r\n",
    "prompt": b"\r\n>\r\n> ",
    "fake URC": b"\r\n+CMQTTPUB: 0,0\r\n\r\n+CMQTTPUB: 1,0\r\n\r\n+CMQTTCONNLOST: 0,1\r\n\r\nQCRDY\r\n",
    "fake block": FAKE_BLOCK % (0, 0, 0, 0) + FAKE_BLOCK % (1, 1, 1, 1),
    "every byte": bytes(range(256)),
    "UTF-8": "Grüße, ☃ und 😀".encode(),
    "empty": b"",
    "longest": (FAKE_BLOCK % (0, 1, 0, 1) + bytes(range(256))).ljust(10_240, b"\r"),
    "longest topic": b"x",
}
LONGEST_TOPIC = 1024
LONGEST_SENT = 256
TIMEOUT = 30
# The driver derives the timeout of a message from the baud rate: single bytes on a busy machine are slow.
SLOW_LINE = 600
GAPS: tuple[Gap, ...] = get_args(Gap)
READ_SIZES = (1, 7, 64, 4096)


@dataclass(frozen=True)
class Cell:
    """Where a message arrives, its payload, and the behaviour of the line."""

    gap: Gap
    payload: str
    echo: bool
    read_size: int
    client: int
    profile: str

    def __str__(self) -> str:
        echo = "echo" if self.echo else "no echo"
        return (
            f"{self.gap}, {self.payload}, {echo}, by {self.read_size}, client {self.client}, {self.profile}"
        )

    def message(self, number: int, client: int) -> Message:
        """Returns a message of this kind."""
        topic = f"number/{number}/"
        if self.payload == "longest topic":
            topic = topic.ljust(LONGEST_TOPIC, "t")
        return Message(topic, PAYLOADS[self.payload], client)

    def block(self, message: Message) -> bytes:
        """Returns the message as this firmware prints it."""
        profile = PROFILES[self.profile]
        return b"".join(block_parts(profile, message.client_index, message.topic_bytes, message.payload))


FACTORS = (GAPS, tuple(PAYLOADS), (True, False), READ_SIZES, (0, 1), tuple(PROFILES))
CELLS = [
    Cell(*(values[position] for values, position in zip(FACTORS, combination, strict=True)))  # type: ignore[arg-type]
    for combination in all_pairs([len(values) for values in FACTORS])
]


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_messages_in_gaps_of_answers_arrive_once_and_in_order(
    cell: Cell, mosquitto: MosquittoBroker, host: HostClient, base: str
) -> None:
    host.subscribe(f"{base}/up/#")
    broker = f"127.0.0.1:{mosquitto.plain}"
    with (
        SimulatedModem(broker=broker, profile=cell.profile) as module,
        SplitLine(module.port, cell.read_size) as line,
        SimcomMqtt(line.port, SLOW_LINE) as modem,
    ):
        line.read_by(modem)
        clients = [modem.connect("broker", client_id=f"{base}/{index}", index=index) for index in (0, 1)]
        assert modem.command("ATE1" if cell.echo else "ATE0") == []
        bench = CellBench(cell, module, clients, host, base)
        with clients[0].capture() as zero, clients[1].capture() as one:
            bench.warm_up()
            bench.publish_with_message_in_gap(cell.client)
            bench.failing_publish_with_message_in_gap(1 - cell.client)
            bench.publish(cell.client)
            received = [
                inbox.wait_count(len(sent), TIMEOUT) if sent else inbox.messages
                for inbox, sent in zip((zero, one), bench.sent, strict=True)
            ]

        assert received == bench.sent
        assert modem.command("AT+CSQ") == ["+CSQ: 23,0"]
        assert [inbox.messages for inbox in (zero, one)] == bench.sent
        assert all(client.is_connected() for client in clients)
        assert host.is_empty()
        assert (modem.stats.damaged_messages, modem.stats.unknown_lines) == (0, 0)
        assert modem.stats.late_results == 0


class CellBench:
    """Sends and publishes in one cell, and records the messages sent to each client."""

    def __init__(
        self, cell: Cell, module: SimulatedModem, clients: list[MqttClient], host: HostClient, base: str
    ) -> None:
        self.sent: list[list[Message]] = [[], []]
        self._cell = cell
        self._module = module
        self._clients = clients
        self._host = host
        self._base = base
        self._number = 0

    def warm_up(self) -> None:
        """Makes the driver send its one-time queries, and subscribes the other client."""
        self._clients[1 - self._cell.client].subscribe(f"{self._base}/down")
        for client in (0, 1):
            self.publish(client)

    def publish(self, client: int) -> None:
        """Publishes, and checks that the message arrives."""
        self._number += 1
        topic, payload = f"{self._base}/up/{self._number}", self._payload_to_send()
        self._clients[client].publish(topic, payload, 1, timeout=TIMEOUT)
        arrived = self._host.get()
        assert (arrived.topic, arrived.payload) == (topic, payload)

    def publish_with_message_in_gap(self, client: int) -> None:
        """Publishes successfully while a message arrives in the gap."""
        self._arm()
        self.publish(client)

    def failing_publish_with_message_in_gap(self, client: int) -> None:
        """Publishes with a failure while a message arrives in the gap: the code is right, nothing is sent."""
        self._module.fail_next("CMQTTPUB", ResultCode.TIMEOUT)
        if self._cell.payload != "longest":  # twice this payload by single bytes takes too long
            self._arm()
        with pytest.raises(MqttError) as failed:
            self._clients[client].publish(
                f"{self._base}/up/never", self._payload_to_send(), 1, timeout=TIMEOUT
            )
        assert (failed.value.code, failed.value.client_index) == (ResultCode.TIMEOUT, client)

    def _arm(self) -> None:
        self._number += 1
        message = self._cell.message(self._number, self._cell.client)
        self._module.inject_at(self._cell.gap, self._cell.block(message))
        self._sent(message)
        if self._cell.gap == "between_parts":
            around = Message(f"{self._base}/down", PAYLOADS[self._cell.payload], 1 - self._cell.client)
            self._host.publish(around.topic, around.payload)
            self._sent(around)

    def _sent(self, message: Message) -> None:
        self.sent[message.client_index].append(message)

    def _payload_to_send(self) -> bytes:
        return PAYLOADS[self._cell.payload][:LONGEST_SENT]


def test_cells_cover_every_pair_of_values() -> None:
    assert FACTORS[0] == GAPS
    assert len(FACTORS) == len(fields(Cell))
    names = [field.name for field in fields(Cell)]
    met = {
        (one, getattr(cell, one), other, getattr(cell, other))
        for cell in CELLS
        for one, other in combinations(names, 2)
    }
    wanted = {
        (names[one], value, names[other], another)
        for one, other in combinations(range(len(names)), 2)
        for value, another in product(FACTORS[one], FACTORS[other])
    }
    assert met == wanted


@pytest.mark.parametrize("sizes", [(2, 2), (3, 1, 4), (7, 12, 2, 4, 2, 3)])
def test_all_pairs_covers_factors_of_any_size(sizes: tuple[int, ...]) -> None:
    found = all_pairs(sizes)

    met = {pair for combination in found for pair in pairs_in(combination)}
    assert len(met) == sum(one * other for one, other in combinations(sizes, 2))
    assert all(
        0 <= value < size for combination in found for value, size in zip(combination, sizes, strict=True)
    )
    assert len(found) < 2 * max(one * other for one, other in combinations(sizes, 2))
