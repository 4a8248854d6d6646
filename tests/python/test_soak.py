"""The soak runs, and its message log detects losses, duplicates and wrong order."""

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import Future
from pathlib import Path

import pytest

from rig.block_outcomes import Block, BlockOutcome, BlockTracker, CountedBuffer
from rig.line_tap import Published
from rig.message_ids import Direction, MessageId, make_message, read_message_id
from rig.message_log import FaultCounts, InboundLog, PublishOutcome, settle_outbound
from simcom_mqtt import ConnectionLostError, OutcomeUnknownError
from simcom_mqtt.simulator import PROFILES
from simcom_mqtt.simulator.faults import BlockDamage
from simcom_mqtt.simulator.message_block import block_parts

SOAK = Path(__file__).parent.parent / "soak" / "soak.py"


def test_short_soak_passes(tmp_path: Path) -> None:
    options = ["--modules", "2", "--messages", "300", "--messages-between-faults", "80", "--seed", "4"]

    with subprocess.Popen(
        [sys.executable, SOAK, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    ) as soak:
        try:
            output, errors = soak.communicate()
        finally:
            # A soak that hangs has a broker and modules that would outlive it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(soak.pid, signal.SIGKILL)

    # Newer versions of Mosquitto name the user that they run as.
    unexpected = [line for line in errors.splitlines() if "Info: running mosquitto as user" not in line]
    assert (soak.returncode, unexpected) == (0, []), output
    assert "lost without a report: 0 to the host, 0 from it" in output
    assert list(tmp_path.iterdir()) == []


class TestMessageIds:
    @pytest.mark.parametrize("direction", ["up", "down"])
    def test_ids_are_read_back(self, direction: Direction) -> None:
        for number in (0, 1, 7, 50, 100, 1000, 1234):
            message_id = MessageId(direction, 3, 1, number)
            topic, payload = make_message(message_id)
            assert read_message_id(topic, payload) == message_id
            assert 1 <= len(topic) <= 1024
            assert len(payload) <= (4096 if direction == "up" else 10_240)

    @pytest.mark.parametrize("number", [5, 50, 100])
    def test_altered_byte_is_detected(self, number: int) -> None:
        topic, payload = make_message(MessageId("down", 0, 0, number))
        for place in range(len(topic)):
            assert read_message_id(_altered(topic, place), payload) is None
        for place in range(len(payload)):
            assert read_message_id(topic, _altered(payload, place)) is None
        assert read_message_id(topic, payload + b"x") is None


class TestBlockTracker:
    MESSAGE_ID = MessageId("down", 0, 1, 1)

    @pytest.fixture(params=PROFILES)
    def profile(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def parts(self, profile: str) -> list[bytes]:
        return block_parts(PROFILES[profile], 1, *make_message(self.MESSAGE_ID))

    def block(self, profile: str) -> bytes:
        return b"".join(self.parts(profile))

    def outcome(self, profile: str, damage: BlockDamage | None = None) -> Block:
        buffer = CountedBuffer()
        tracker = BlockTracker(buffer)
        buffer += self.block(profile)
        tracker.sent(self.MESSAGE_ID, self.parts(profile), 0, b"", damage)
        assert tracker.known() == []
        del buffer[: len(buffer)]
        (block,) = tracker.known()
        return block

    def test_whole_block(self, profile: str) -> None:
        assert self.outcome(profile) == Block(self.MESSAGE_ID, BlockOutcome.WHOLE)

    def test_damaged_block(self, profile: str) -> None:
        block = self.block(profile)
        head_end, topic = block.index(b"\r\n", 2) + 2, block.index(b"soak")
        assert self.outcome(profile, BlockDamage("drop", head_end - 1, 1)).outcome is BlockOutcome.HEADLESS
        assert self.outcome(profile, BlockDamage("drop", head_end, 1)).outcome is BlockOutcome.DAMAGED
        assert self.outcome(profile, BlockDamage("add", head_end, 1)).outcome is BlockOutcome.DAMAGED
        assert self.outcome(profile, BlockDamage("flip", topic - 1, 1)).outcome is BlockOutcome.DAMAGED
        assert self.outcome(profile, BlockDamage("flip", topic - 1, 2)).outcome is BlockOutcome.DAMAGED
        sent_topic, payload = make_message(self.MESSAGE_ID)
        altered = self.outcome(profile, BlockDamage("flip", topic, 1))
        assert altered == Block(self.MESSAGE_ID, BlockOutcome.ALTERED, (_altered(sent_topic, 0), payload))

    def test_cut_block(self, profile: str) -> None:
        block = self.block(profile)
        head_end = block.index(b"\r\n", 2) + 2
        for taken, outcome in ((head_end, BlockOutcome.CUT), (head_end - 1, BlockOutcome.HEADLESS)):
            buffer = CountedBuffer()
            tracker = BlockTracker(buffer)
            buffer += block
            tracker.sent(self.MESSAGE_ID, self.parts(profile), 0, b"", None)
            del buffer[:taken]
            buffer.clear()
            assert tracker.known() == [Block(self.MESSAGE_ID, outcome)]

    def test_block_that_was_never_read_is_cut(self, profile: str) -> None:
        buffer = CountedBuffer()
        tracker = BlockTracker(buffer)
        buffer += self.block(profile)
        tracker.sent(self.MESSAGE_ID, self.parts(profile), 0, b"", None)
        del buffer[: len(buffer)]
        buffer.drop_unread(1)
        assert tracker.known() == [Block(self.MESSAGE_ID, BlockOutcome.CUT)]


class TestInboundLog:
    MESSAGE_IDS = tuple(MessageId("down", 0, number % 2, number // 2) for number in range(6))

    def settled(self, inbound_log: InboundLog) -> tuple[FaultCounts, list[str]]:
        row = FaultCounts()
        return row, inbound_log.settle(row)

    def inbound_log(self, *delivered: int) -> InboundLog:
        inbound_log = InboundLog()
        inbound_log.expect([Block(message_id, BlockOutcome.WHOLE) for message_id in self.MESSAGE_IDS])
        for number in delivered:
            inbound_log.deliver(self.MESSAGE_IDS[number], b"", b"")
        return inbound_log

    def test_all_delivered(self) -> None:
        row, problems = self.settled(self.inbound_log(0, 1, 3, 2, 4, 5))
        assert (row.inbound.sent, row.inbound.delivered, problems) == (6, 6, [])

    def test_unreported_loss_is_a_problem(self) -> None:
        inbound_log = self.inbound_log(0, 1, 2, 3, 4)
        assert not inbound_log.is_settled()
        row, problems = self.settled(inbound_log)
        assert (row.inbound.lost, row.inbound.reported, row.inbound.unreported) == (1, 0, 1)
        assert problems

    def test_reported_loss_is_no_problem(self) -> None:
        inbound_log = self.inbound_log(0, 1, 2, 3, 4)
        inbound_log.reports.append("damaged")
        assert inbound_log.is_settled()
        row, problems = self.settled(inbound_log)
        assert (row.inbound.lost, row.inbound.reported, row.inbound.unreported, problems) == (1, 1, 0, [])

    def test_unexplained_duplicate_is_a_problem(self) -> None:
        row, problems = self.settled(self.inbound_log(0, 1, 2, 3, 4, 5, 5))
        assert row.inbound.duplicated == 1
        assert problems

    def test_wrong_order_is_a_problem(self) -> None:
        _row, problems = self.settled(self.inbound_log(2, 1, 0, 3, 4, 5))
        assert len(problems) == 1

    def test_unknown_message_is_a_problem(self) -> None:
        inbound_log = self.inbound_log(0, 1, 2, 3, 4, 5)
        inbound_log.deliver(None, b"topic", b"payload")
        assert len(self.settled(inbound_log)[1]) == 1

    def test_undetectable_alteration_is_counted(self) -> None:
        inbound_log = InboundLog()
        inbound_log.expect([Block(self.MESSAGE_IDS[0], BlockOutcome.ALTERED, (b"topic", b"payload"))])
        assert not inbound_log.is_settled()
        inbound_log.deliver(None, b"topic", b"payload")
        assert inbound_log.is_settled()
        row, problems = self.settled(inbound_log)
        assert (row.inbound.altered, row.inbound.delivered, problems) == (1, 1, [])


class TestOutbound:
    MESSAGE_ID = MessageId("up", 0, 0, 1)

    def settle(
        self, qos: int, error: Exception | None, seen: int, *duplicates: bool
    ) -> tuple[FaultCounts, list[str]]:
        rows: defaultdict[str, FaultCounts] = defaultdict(FaultCounts)
        published = {
            self.MESSAGE_ID: [Published(self.MESSAGE_ID, qos, duplicate) for duplicate in duplicates]
        }
        outcomes = [PublishOutcome(self.MESSAGE_ID, qos, "fault", error)]
        problems = settle_outbound(outcomes, Counter({self.MESSAGE_ID: seen}), published, rows)
        return rows["fault"], problems

    def test_done_and_seen_is_no_problem(self) -> None:
        row, problems = self.settle(1, None, 1, False)
        assert (row.outbound.sent, row.outbound.delivered, problems) == (1, 1, [])

    def test_unreported_loss_is_a_problem(self) -> None:
        row, problems = self.settle(1, None, 0, False)
        assert row.outbound.unreported == 1
        assert problems

    def test_qos_0_loss_after_the_module_is_no_problem(self) -> None:
        row, problems = self.settle(0, None, 0, False)
        assert (row.outbound.lost_after_module, problems) == (1, [])
        assert self.settle(0, None, 0)[1]

    def test_reported_loss_is_no_problem(self) -> None:
        row, problems = self.settle(2, ConnectionLostError("lost"), 0)
        assert (row.outbound.lost, row.outbound.reported, problems) == (1, 1, [])

    def test_message_seen_but_reported_not_sent_is_a_problem(self) -> None:
        assert self.settle(2, ConnectionLostError("lost"), 1)[1]
        assert not self.settle(2, OutcomeUnknownError("lost", late=Future()), 1)[1]

    def test_unexplained_duplicate_is_a_problem(self) -> None:
        row, problems = self.settle(1, None, 2, False, True)
        assert (row.outbound.repeated, row.outbound.duplicated, problems) == (1, 0, [])
        for qos, duplicate in ((1, False), (0, True), (2, True)):
            row, problems = self.settle(qos, None, 2, False, duplicate)
            assert row.outbound.duplicated == 1
            assert problems


def _altered(text: bytes, place: int) -> bytes:
    return text[:place] + bytes([text[place] ^ 0xFF]) + text[place + 1 :]
