"""The pace of a UART both ways, and pieces of random length."""

import os
import time

import pytest

from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.simulator.pacing import Paces, RandomPieces, UartPace
from simulator.wire import Wire

OK = b"\r\nOK\r\n"


class TestUart:
    def test_byte_takes_ten_bit_times(self) -> None:
        pace = UartPace(1000)
        pace.begin(5.0)
        assert pace.allowance(100, 5.009) == 0
        assert pace.allowance(100, 5.010) == 1
        assert pace.allowance(100, 5.055) == 5
        assert pace.allowance(3, 5.055) == 3
        assert pace.next_due(100) == pytest.approx(5.010)

    def test_deadlines_do_not_drift(self) -> None:
        pace = UartPace(115_200)
        pace.begin(0.0)
        now, passed = 0.0, 0
        while passed < 100_000:
            now = pace.next_due(100_000 - passed) + 0.000_03
            count = pace.allowance(100_000 - passed, now)
            assert count > 0
            pace.passed(count, now)
            passed += count
        assert now == pytest.approx(100_000 * 10 / 115_200, abs=0.002)

    def test_burst_waits_for_end_of_previous(self) -> None:
        pace = UartPace(1000)
        pace.begin(0.0)
        pace.passed(2, 0.02)
        pace.begin(0.005)
        assert pace.next_due(1) == pytest.approx(0.03)
        pace.begin(1.0)
        assert pace.next_due(1) == pytest.approx(1.01)

    def test_output_is_paced(self) -> None:
        with SimulatedModem(baudrate=9600) as module, Wire(module.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            began = time.monotonic()
            module.inject(bytes(480))
            assert wire.read(480) == bytes(480)
            assert time.monotonic() - began >= 0.5

    def test_input_is_paced(self) -> None:
        with SimulatedModem(baudrate=9600) as module, Wire(module.port) as wire:
            began = time.monotonic()
            wire.send(b"AT" + b" " * 477 + b"\r")
            wire.read_until(b"OK\r\n")
            assert time.monotonic() - began >= 0.5

    def test_line_feed_with_command_is_no_data(self) -> None:
        with SimulatedModem(baudrate=115_200) as module, Wire(module.port) as wire:
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            wire.send(b'AT+CCERTDOWN="ca.pem",1\r\n')
            wire.expect(b"\r\n>")
            wire.send(b"x")
            wire.expect(OK)
            wire.expect_nothing()

    def test_baud_rate_changes_after_ok(self) -> None:
        with SimulatedModem(baudrate=600) as module, Wire(module.port) as wire:
            wire.send(b"ATE0\r")
            wire.expect(b"ATE0\r" + OK)
            wire.ask(b"AT+IPR?", b"\r\n+IPR: 600\r\n" + OK)
            began = time.monotonic()
            wire.ok(b"AT+IPR=460800")
            slow = time.monotonic() - began
            assert slow >= (len(b"AT+IPR=460800\r") + len(OK)) * 10 / 600 - 0.001
            began = time.monotonic()
            for _ in range(5):
                wire.expect_nothing()
            assert time.monotonic() - began < slow

    def test_pace_holds_after_host_stopped_reading(self) -> None:
        pace = UartPace(1000)
        pace.begin(0.0)
        pace.begin(10.0)
        assert pace.allowance(1000, 10.02) == 2

    @pytest.mark.parametrize("baudrate", [0, -1])
    def test_invalid_baud_rate_is_refused(self, baudrate: int) -> None:
        with pytest.raises(ValueError, match="baudrate must be positive or None"):
            SimulatedModem(baudrate=baudrate)


class TestPieces:
    def pieces(self, seed: int, chunk: int) -> list[int]:
        pace, now, waiting, ends, position = RandomPieces(seed), 0.0, 0, [], 0
        while position < 1000:
            waiting = waiting or chunk
            now = max(now, pace.next_due(waiting))
            count = pace.allowance(waiting, now)
            pace.passed(count, now)
            position += count
            waiting -= count
            ends.append(position)
        return ends

    def test_same_seed_makes_same_pieces(self) -> None:
        assert self.pieces(1, 1000) == self.pieces(1, 1000)
        assert self.pieces(1, 1000) != self.pieces(2, 1000)
        assert set(self.pieces(1, 1000)) <= set(self.pieces(1, 7)) | {1000}

    def test_pieces_include_single_bytes(self) -> None:
        ends = self.pieces(3, 1000)
        assert 1 in [end - start for start, end in zip([0, *ends], ends, strict=False)]

    def test_pieces_arrive_separately_and_complete(self) -> None:
        content = os.urandom(3000)
        with SimulatedModem(seed=7) as module, Wire(module.port) as wire:
            module.inject(content)
            received: list[bytes] = []
            while sum(map(len, received)) < len(content):
                received.append(wire.read_chunk())
            assert b"".join(received) == content
            assert len(received) > 20

    def test_baud_rate_and_seed_combine(self) -> None:
        paces = Paces(UartPace(1000), RandomPieces(1))
        paces.begin(0.0)
        assert paces.allowance(100, 0.0) == 0
        assert paces.allowance(100, 0.01) == 1
        assert Paces().allowance(100, 0.0) == 100
