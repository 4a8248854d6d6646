"""Bytes lost, altered or added anywhere in a message: it is reported, and what comes next is not harmed.

What no driver can see is a byte altered inside topic or payload: there is no checksum on this line.
"""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

import pytest

from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from simcom_mqtt import Message, MqttClient, SimcomMqtt
from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simcom_mqtt.simulator.faults import BlockDamage, Damage
from simcom_mqtt.simulator.message_block import block_parts

PATIENCE = 30.0
GIVEN_UP_WITHIN = 6.0
"""In seconds: two, twice the time on the wire, and what a busy machine takes."""
DAMAGES: list[tuple[Damage, int]] = [("drop", 1), ("drop", 9), ("flip", 1), ("add", 3)]
CASES = [(profile, kind, count) for profile in PROFILES for kind, count in DAMAGES]
END = b"\r\n+CMQTTRXEND: 0\r\n"
SHARES = [0.1, 0.4, 0.6, 0.9]
CUTS = [
    ("sim767x", 0.1),
    ("sim767x", 0.4),
    ("a76xx", 0.6),
    ("a76xx", 0.9),
    ("sim7600", 0.4),
    ("sim7600", 0.9),
]
FAKE_BLOCK = (
    b"\r\n+CMQTTRXSTART: 0,3,2\r\n+CMQTTRXTOPIC: 0,3\r\na/b"
    b"\r\n+CMQTTRXPAYLOAD: 0,2\r\nhi\r\n+CMQTTRXEND: 0\r\n"
)


@dataclass
class Witness:
    """A subscribed client on a simulated module, and what was reported lost."""

    module: SimulatedModem
    modem: SimcomMqtt
    client: MqttClient
    host: HostClient
    topic: str
    profile: str
    lost: "queue.Queue[tuple[int | None, str]]" = field(default_factory=queue.Queue)

    def message(self, payload: bytes) -> Message:
        """A message for the client."""
        return Message(self.topic, payload)

    def block_of(self, message: Message) -> bytes:
        """The message as it is on the line."""
        return b"".join(block_parts(PROFILES[self.profile], 0, message.topic_bytes, message.payload))

    def send(self, message: Message) -> None:
        """By the broker."""
        self.host.publish(message.topic, message.payload)

    def damage(self, damage: BlockDamage, message: Message) -> None:
        """The message is delivered as it was sent, or reported; the next message and command work."""
        reported_before = self.modem.stats.damaged_messages
        self.module.damage_next(damage.kind, damage.offset, damage.count)
        with self.client.capture() as inbox:
            self.send(message)
            self.next_command_and_message_work()
            delivered = inbox.messages[:-1]

        reported = self.modem.stats.damaged_messages - reported_before
        assert delivered in ([], [altered_unseen(self.block_of(message), damage, message) or message])
        assert bool(reported) == (not delivered)
        for _ in range(reported):
            self.was_reported()

    def next_command_and_message_work(self) -> None:
        """The line is as good as ever."""
        next_one = self.message(b"the next one")
        with self.client.capture() as inbox:
            self.send(next_one)
            assert self.modem.signal_quality().raw == "+CSQ: 23,0"
            while inbox.get(PATIENCE) != next_one:
                pass

    def was_reported(self, timeout: float = PATIENCE) -> None:
        """The next message that was reported lost, with its client if that could be told."""
        index, why = self.lost.get(timeout=timeout)
        assert index in (0, None)
        assert why


@pytest.fixture
def profile() -> str:
    """The firmware, where the test does not say."""
    return "sim767x"


@pytest.fixture
def witness(profile: str, mosquitto: MosquittoBroker, host: HostClient, base: str) -> Iterator[Witness]:
    """A client subscribed to its topic."""
    with (
        SimulatedModem(broker=f"127.0.0.1:{mosquitto.plain}", profile=profile) as module,
        SimcomMqtt(module.port) as modem,
    ):
        client = modem.connect("broker")
        client.subscribe(base)
        witness = Witness(module, modem, client, host, base, profile)
        modem.on_message_lost = lambda index, why: witness.lost.put((index, why))
        yield witness


@pytest.mark.parametrize(("profile", "kind", "count"), CASES)
def test_at_every_place_of_a_message(witness: Witness, profile: str, kind: Damage, count: int) -> None:
    message = witness.message(b"damaged")
    end = len(witness.block_of(message)) - len(END)
    reach = count if kind == "drop" else 1
    for offset in range(end - reach):
        witness.damage(BlockDamage(kind, offset, count), message)
    # A message with a damaged end is waited for, so each case takes but one place of it.
    witness.damage(BlockDamage(kind, end + CASES.index((profile, kind, count)), count), message)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("offset", [2, 20, 30, 45, 70, 100, -40, -14])
def test_a_payload_that_looks_like_messages(witness: Witness, profile: str, offset: int) -> None:
    witness.damage(BlockDamage("drop", offset, 3), witness.message(FAKE_BLOCK * 3))


@pytest.mark.parametrize(("profile", "share"), CUTS)
def test_cut_by_a_reboot(witness: Witness, profile: str, share: float) -> None:
    restarted = threading.Event()
    witness.modem.on_restart = restarted.set
    block = witness.block_of(witness.message(b"a payload of some length"))

    witness.module.inject(block[: int(len(block) * share)])
    witness.module.reboot()

    witness.was_reported()
    assert restarted.wait(PATIENCE)
    assert witness.modem.signal_quality().raw == "+CSQ: 23,0"
    assert witness.modem.stats.damaged_messages == 1


@pytest.mark.parametrize(("profile", "share"), CUTS)
def test_cut_by_silence(witness: Witness, profile: str, share: float) -> None:
    block = witness.block_of(witness.message(b"a payload of some length"))

    witness.module.inject(block[: int(len(block) * share)])

    if share == min(SHARES):  # nobody can tell that it is the beginning of a message until its line ends
        witness.module.urc("SMS DONE")
    witness.was_reported(GIVEN_UP_WITHIN)
    witness.next_command_and_message_work()
    assert witness.modem.stats.damaged_messages == 1


@pytest.mark.parametrize("share", SHARES)
def test_cut_while_other_lines_keep_coming(witness: Witness, share: float) -> None:
    block = witness.block_of(witness.message(b"a payload of some length"))
    began = monotonic()

    witness.module.inject(block[: int(len(block) * share)])
    while not witness.modem.stats.damaged_messages:
        witness.module.urc("SMS DONE")
        assert monotonic() < began + GIVEN_UP_WITHIN

    witness.was_reported()
    witness.next_command_and_message_work()
    assert witness.modem.stats.damaged_messages == 1


def altered_unseen(block: bytes, damage: BlockDamage, message: Message) -> Message | None:
    """What arrives if the damage is all in counted bytes and leaves their number."""
    damaged = damage.apply(block)
    topic_start = block.index(message.topic_bytes)
    payload_start = block.index(message.payload, topic_start + len(message.topic_bytes))
    topic = slice(topic_start, topic_start + len(message.topic_bytes))
    payload = slice(payload_start, payload_start + len(message.payload))
    rest, damaged_rest = bytearray(block), bytearray(damaged)
    for counted in (payload, topic):
        del rest[counted], damaged_rest[counted]
    if len(block) != len(damaged) or rest != damaged_rest:
        return None
    return Message(damaged[topic], damaged[payload])
