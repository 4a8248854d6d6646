"""The soak works, and its account notices what it is there to notice."""

import contextlib
import os
import signal
import subprocess
import sys
from collections import Counter, defaultdict
from concurrent.futures import Future
from pathlib import Path

import pytest

from rig.fates import Block, CountedBuffer, Fate, Fates
from rig.ledger import Arrivals, Outcome, Row, settle_outbound
from rig.marks import Direction, Mark, make_message, read_mark
from rig.tap import Published
from simcom_mqtt import ConnectionLostError, OutcomeUnknownError
from simcom_mqtt.simulator import PROFILES
from simcom_mqtt.simulator.faults import BlockDamage
from simcom_mqtt.simulator.message_block import block_parts

SOAK = Path(__file__).parent.parent / "soak" / "soak.py"


def test_a_short_one(tmp_path: Path) -> None:
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
            # One that hangs has a broker and modules, which would outlive it.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(soak.pid, signal.SIGKILL)

    assert (soak.returncode, errors) == (0, ""), output
    assert "lost without a report: 0 to the host, 0 from it" in output
    assert list(tmp_path.iterdir()) == []


class TestMarks:
    @pytest.mark.parametrize("direction", ["up", "down"])
    def test_come_back_whole(self, direction: Direction) -> None:
        for number in (0, 1, 7, 50, 100, 1000, 1234):
            mark = Mark(direction, 3, 1, number)
            topic, payload = make_message(mark)
            assert read_mark(topic, payload) == mark
            assert 1 <= len(topic) <= 1024
            assert len(payload) <= (4096 if direction == "up" else 10_240)

    @pytest.mark.parametrize("number", [5, 50, 100])
    def test_any_altered_byte_shows(self, number: int) -> None:
        topic, payload = make_message(Mark("down", 0, 0, number))
        for place in range(len(topic)):
            assert read_mark(_altered(topic, place), payload) is None
        for place in range(len(payload)):
            assert read_mark(topic, _altered(payload, place)) is None
        assert read_mark(topic, payload + b"x") is None


class TestFates:
    MARK = Mark("down", 0, 1, 1)

    @pytest.fixture(params=PROFILES)
    def profile(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def parts(self, profile: str) -> list[bytes]:
        return block_parts(PROFILES[profile], 1, *make_message(self.MARK))

    def block(self, profile: str) -> bytes:
        return b"".join(self.parts(profile))

    def fate(self, profile: str, damage: BlockDamage | None = None) -> Block:
        buffer = CountedBuffer()
        fates = Fates(buffer)
        buffer += self.block(profile)
        fates.sent(self.MARK, self.parts(profile), 0, b"", damage)
        assert fates.known() == []
        del buffer[: len(buffer)]
        (block,) = fates.known()
        return block

    def test_whole(self, profile: str) -> None:
        assert self.fate(profile) == Block(self.MARK, Fate.WHOLE)

    def test_damaged(self, profile: str) -> None:
        block = self.block(profile)
        head_end, topic = block.index(b"\r\n", 2) + 2, block.index(b"soak")
        assert self.fate(profile, BlockDamage("drop", head_end - 1, 1)).fate is Fate.HEADLESS
        assert self.fate(profile, BlockDamage("drop", head_end, 1)).fate is Fate.DAMAGED
        assert self.fate(profile, BlockDamage("add", head_end, 1)).fate is Fate.DAMAGED
        assert self.fate(profile, BlockDamage("flip", topic - 1, 1)).fate is Fate.DAMAGED
        assert self.fate(profile, BlockDamage("flip", topic - 1, 2)).fate is Fate.DAMAGED
        sent_topic, payload = make_message(self.MARK)
        altered = self.fate(profile, BlockDamage("flip", topic, 1))
        assert altered == Block(self.MARK, Fate.ALTERED, (_altered(sent_topic, 0), payload))

    def test_cut(self, profile: str) -> None:
        block = self.block(profile)
        head_end = block.index(b"\r\n", 2) + 2
        for taken, fate in ((head_end, Fate.CUT), (head_end - 1, Fate.HEADLESS)):
            buffer = CountedBuffer()
            fates = Fates(buffer)
            buffer += block
            fates.sent(self.MARK, self.parts(profile), 0, b"", None)
            del buffer[:taken]
            buffer.clear()
            assert fates.known() == [Block(self.MARK, fate)]

    def test_taken_and_never_read(self, profile: str) -> None:
        buffer = CountedBuffer()
        fates = Fates(buffer)
        buffer += self.block(profile)
        fates.sent(self.MARK, self.parts(profile), 0, b"", None)
        del buffer[: len(buffer)]
        buffer.drop_unread(1)
        assert fates.known() == [Block(self.MARK, Fate.CUT)]


class TestArrivals:
    MARKS = tuple(Mark("down", 0, number % 2, number // 2) for number in range(6))

    def settled(self, arrivals: Arrivals) -> tuple[Row, list[str]]:
        row = Row()
        return row, arrivals.settle(row)

    def arrivals(self, *delivered: int) -> Arrivals:
        arrivals = Arrivals()
        arrivals.expect([Block(mark, Fate.WHOLE) for mark in self.MARKS])
        for number in delivered:
            arrivals.deliver(self.MARKS[number], b"", b"")
        return arrivals

    def test_all_came(self) -> None:
        row, complaints = self.settled(self.arrivals(0, 1, 3, 2, 4, 5))
        assert (row.inbound.sent, row.inbound.delivered, complaints) == (6, 6, [])

    def test_a_loss_without_a_report(self) -> None:
        arrivals = self.arrivals(0, 1, 2, 3, 4)
        assert not arrivals.is_settled()
        row, complaints = self.settled(arrivals)
        assert (row.inbound.lost, row.inbound.reported, row.inbound.unreported) == (1, 0, 1)
        assert complaints

    def test_a_loss_with_a_report(self) -> None:
        arrivals = self.arrivals(0, 1, 2, 3, 4)
        arrivals.reports.append("damaged")
        assert arrivals.is_settled()
        row, complaints = self.settled(arrivals)
        assert (row.inbound.lost, row.inbound.reported, row.inbound.unreported, complaints) == (1, 1, 0, [])

    def test_twice(self) -> None:
        row, complaints = self.settled(self.arrivals(0, 1, 2, 3, 4, 5, 5))
        assert row.inbound.duplicated == 1
        assert complaints

    def test_out_of_order(self) -> None:
        _row, complaints = self.settled(self.arrivals(2, 1, 0, 3, 4, 5))
        assert len(complaints) == 1

    def test_what_nobody_sent(self) -> None:
        arrivals = self.arrivals(0, 1, 2, 3, 4, 5)
        arrivals.deliver(None, b"topic", b"payload")
        assert len(self.settled(arrivals)[1]) == 1

    def test_altered_where_no_driver_can_see(self) -> None:
        arrivals = Arrivals()
        arrivals.expect([Block(self.MARKS[0], Fate.ALTERED, (b"topic", b"payload"))])
        assert not arrivals.is_settled()
        arrivals.deliver(None, b"topic", b"payload")
        assert arrivals.is_settled()
        row, complaints = self.settled(arrivals)
        assert (row.inbound.altered, row.inbound.delivered, complaints) == (1, 1, [])


class TestOutbound:
    MARK = Mark("up", 0, 0, 1)

    def settle(
        self, qos: int, error: Exception | None, seen: int, *duplicates: bool
    ) -> tuple[Row, list[str]]:
        rows: defaultdict[str, Row] = defaultdict(Row)
        published = {self.MARK: [Published(self.MARK, qos, duplicate) for duplicate in duplicates]}
        outcomes = [Outcome(self.MARK, qos, "fault", error)]
        complaints = settle_outbound(outcomes, Counter({self.MARK: seen}), published, rows)
        return rows["fault"], complaints

    def test_done(self) -> None:
        row, complaints = self.settle(1, None, 1, False)
        assert (row.outbound.sent, row.outbound.delivered, complaints) == (1, 1, [])

    def test_a_loss_without_a_report(self) -> None:
        row, complaints = self.settle(1, None, 0, False)
        assert row.outbound.unreported == 1
        assert complaints

    def test_a_loss_behind_the_module(self) -> None:
        row, complaints = self.settle(0, None, 0, False)
        assert (row.outbound.behind_the_module, complaints) == (1, [])
        assert self.settle(0, None, 0)[1]

    def test_a_loss_with_a_report(self) -> None:
        row, complaints = self.settle(2, ConnectionLostError("lost"), 0)
        assert (row.outbound.lost, row.outbound.reported, complaints) == (1, 1, [])

    def test_seen_though_it_was_not_sent(self) -> None:
        assert self.settle(2, ConnectionLostError("lost"), 1)[1]
        assert not self.settle(2, OutcomeUnknownError("lost", late=Future()), 1)[1]

    def test_twice(self) -> None:
        row, complaints = self.settle(1, None, 2, False, True)
        assert (row.outbound.repeated, row.outbound.duplicated, complaints) == (1, 0, [])
        for qos, duplicate in ((1, False), (0, True), (2, True)):
            row, complaints = self.settle(qos, None, 2, False, duplicate)
            assert row.outbound.duplicated == 1
            assert complaints


def _altered(text: bytes, place: int) -> bytes:
    return text[:place] + bytes([text[place] ^ 0xFF]) + text[place + 1 :]
