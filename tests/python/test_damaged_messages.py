"""A message with lost, altered or added bytes is reported, and the next message is intact.

A byte altered inside topic or payload cannot be detected: the line has no checksum.
"""

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import monotonic

import pytest

from bench_messages import FAKE_BLOCK
from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from simcom_mqtt import Message, MqttClient, SimcomMqtt
from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simcom_mqtt.simulator.faults import BlockDamage, Damage
from simcom_mqtt.simulator.message_block import block_parts

TIMEOUT = 30.0
DROPPED_WITHIN = 6.0
"""Seconds until an incomplete message is dropped: 2 s, twice its wire time, and an allowance."""
DAMAGES: list[tuple[Damage, int]] = [("drop", 1), ("drop", 9), ("flip", 1), ("add", 3)]
CASES = [(profile, kind, count) for profile in PROFILES for kind, count in DAMAGES]
END = b"\r\n+CMQTTRXEND: 0\r\n"
CUTS = [("sim767x", 0.1), ("a76xx", 0.4), ("sim7600", 0.9)]
"""Profile and share of a message that is sent. The Rust tests cut at every byte on a simulated clock."""


@dataclass
class DamageBench:
    """A subscribed client on a simulated module, and the messages reported lost."""

    module: SimulatedModem
    modem: SimcomMqtt
    client: MqttClient
    host: HostClient
    topic: str
    profile: str
    lost: "queue.Queue[tuple[int | None, str]]" = field(default_factory=queue.Queue)

    def message(self, payload: bytes) -> Message:
        """Returns a message for the client."""
        return Message(self.topic, payload)

    def block_of(self, message: Message) -> bytes:
        """Returns the message as it is on the line."""
        return b"".join(block_parts(PROFILES[self.profile], 0, message.topic_bytes, message.payload))

    def send(self, message: Message) -> None:
        """Publishes the message to the client."""
        self.host.publish(message.topic, message.payload)

    def send_damaged(self, damage: BlockDamage, message: Message) -> None:
        """Sends a message with damage: it is delivered as sent, or reported, and the next one works."""
        reported_before = self.modem.stats.damaged_messages
        self.module.damage_next(damage.kind, damage.offset, damage.count)
        with self.client.capture() as inbox:
            self.send(message)
            self.check_next_command_and_message()
            delivered = inbox.messages[:-1]

        reported = self.modem.stats.damaged_messages - reported_before
        assert delivered in (
            [],
            [undetectable_alteration(self.block_of(message), damage, message) or message],
        )
        assert bool(reported) == (not delivered)
        for _ in range(reported):
            self.wait_for_loss_report()

    def check_next_command_and_message(self) -> None:
        """Checks that the next command and the next message work."""
        next_one = self.message(b"the next one")
        with self.client.capture() as inbox:
            self.send(next_one)
            assert self.modem.signal_quality().raw == "+CSQ: 23,0"
            while inbox.get(TIMEOUT) != next_one:
                pass

    def wait_for_loss_report(self, timeout: float = TIMEOUT) -> None:
        """Waits for the next message reported lost, with its client if that is known."""
        index, reason = self.lost.get(timeout=timeout)
        assert index in (0, None)
        assert reason


@pytest.fixture
def profile() -> str:
    """Firmware profile of tests without a parameter."""
    return "sim767x"


@pytest.fixture
def bench(profile: str, mosquitto: MosquittoBroker, host: HostClient, base: str) -> Iterator[DamageBench]:
    """A client that is subscribed to its topic."""
    with (
        SimulatedModem(broker=f"127.0.0.1:{mosquitto.plain}", profile=profile) as module,
        SimcomMqtt(module.port) as modem,
    ):
        client = modem.connect("broker")
        client.subscribe(base)
        bench = DamageBench(module, modem, client, host, base, profile)
        modem.on_message_lost = lambda index, reason: bench.lost.put((index, reason))
        yield bench


@pytest.mark.parametrize(("profile", "kind", "count"), CASES)
def test_damage_at_any_byte_is_reported_or_harmless(
    bench: DamageBench, profile: str, kind: Damage, count: int
) -> None:
    message = bench.message(b"damaged")
    end = len(bench.block_of(message)) - len(END)
    reach = count if kind == "drop" else 1
    # Some places take 2 s until the message is dropped, so each profile has every third place.
    for offset in range(list(PROFILES).index(profile), end - reach, len(PROFILES)):
        bench.send_damaged(BlockDamage(kind, offset, count), message)
    # A damaged end takes 2 s until the message is dropped, so each case tests one place of the end only.
    bench.send_damaged(BlockDamage(kind, end + CASES.index((profile, kind, count)), count), message)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("offset", [2, 20, 30, 45, 70, 100, -40, -14])
def test_damaged_payload_that_looks_like_messages_invents_none(
    bench: DamageBench, profile: str, offset: int
) -> None:
    bench.send_damaged(BlockDamage("drop", offset, 3), bench.message(FAKE_BLOCK * 3))


@pytest.mark.parametrize(("profile", "share"), CUTS)
def test_message_cut_by_reboot_is_reported(bench: DamageBench, profile: str, share: float) -> None:
    restarted = threading.Event()
    bench.modem.on_restart = restarted.set
    block = bench.block_of(bench.message(b"a payload of some length"))

    bench.module.inject(block[: int(len(block) * share)])
    bench.module.reboot()

    bench.wait_for_loss_report()
    assert restarted.wait(TIMEOUT)
    assert bench.modem.signal_quality().raw == "+CSQ: 23,0"
    assert bench.modem.stats.damaged_messages == 1


@pytest.mark.parametrize(("profile", "share"), CUTS)
def test_message_cut_by_silence_is_reported_after_its_timeout(
    bench: DamageBench, profile: str, share: float
) -> None:
    block = bench.block_of(bench.message(b"a payload of some length"))

    bench.module.inject(block[: int(len(block) * share)])

    if share == 0.1:  # the header is incomplete: only the end of its line shows that it is damaged
        bench.module.urc("SMS DONE")
    bench.wait_for_loss_report(DROPPED_WITHIN)
    bench.check_next_command_and_message()
    assert bench.modem.stats.damaged_messages == 1


@pytest.mark.parametrize("share", [0.1, 0.6])
def test_message_cut_by_other_lines_is_reported_after_its_timeout(bench: DamageBench, share: float) -> None:
    block = bench.block_of(bench.message(b"a payload of some length"))
    began = monotonic()

    bench.module.inject(block[: int(len(block) * share)])
    while not bench.modem.stats.damaged_messages:
        bench.module.urc("SMS DONE")
        assert monotonic() < began + DROPPED_WITHIN

    bench.wait_for_loss_report()
    bench.check_next_command_and_message()
    assert bench.modem.stats.damaged_messages == 1


def undetectable_alteration(block: bytes, damage: BlockDamage, message: Message) -> Message | None:
    """Returns the altered message if the damage only replaces counted bytes, else None."""
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
