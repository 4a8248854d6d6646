"""Pace of the line: the speed of a UART, and pieces of random length."""

import random
from typing import Final, Protocol

BITS_PER_BYTE: Final = 10
QUANTUM: Final = 0.001
"""A paced line wakes up at most this often, in seconds, unless a byte takes longer."""
PIECE_GAP: Final = 0.000_2
"""The pause between two pieces, in seconds, so that the reader receives them separately."""
_TOLERANCE: Final = 1e-6


class Pace(Protocol):
    """Decides how many waiting bytes may pass at a time."""

    def begin(self, now: float) -> None:
        """Start a burst: bytes wait where none did, or bytes that were due could not pass."""

    def allowance(self, waiting: int, now: float) -> int:
        """Return how many of the waiting bytes may pass."""

    def passed(self, count: int, now: float) -> None:
        """Record that so many bytes have passed."""

    def next_due(self, waiting: int) -> float:
        """Return when more of the waiting bytes may pass."""


class UartPace:
    """One byte every ten bit times. Deadlines count from the first byte of a burst."""

    def __init__(self, baud_rate: int) -> None:
        self._byte_time = BITS_PER_BYTE / baud_rate
        self._start = 0.0
        self._count = 0

    def begin(self, now: float) -> None:
        """Start a burst now, or when the last byte of the previous burst is off the wire."""
        self._start = max(now, self._start + self._count * self._byte_time)
        self._count = 0

    def allowance(self, waiting: int, now: float) -> int:
        """Return how many of the waiting bytes have had their time on the wire."""
        through = int((now - self._start) / self._byte_time + _TOLERANCE)
        return max(0, min(waiting, through - self._count))

    def passed(self, count: int, now: float) -> None:
        """Record that so many bytes have passed."""
        self._count += count

    def next_due(self, waiting: int) -> float:
        """Return when the next byte, or the next quantum of bytes, is off the wire."""
        together = max(1, min(waiting, int(QUANTUM / self._byte_time)))
        return self._start + (self._count + together) * self._byte_time


class RandomPieces:
    """Pieces of random length, often a single byte; only the seed decides the lengths."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._left = self._draw()
        self._not_before = 0.0

    def begin(self, now: float) -> None:
        """Do nothing: a piece can start at any time."""

    def allowance(self, waiting: int, now: float) -> int:
        """Return how many bytes of the piece may pass."""
        return 0 if now < self._not_before else min(waiting, self._left)

    def passed(self, count: int, now: float) -> None:
        """Record that so many bytes have passed."""
        self._left -= count
        if count:
            self._not_before = now + PIECE_GAP
        if not self._left:
            self._left = self._draw()

    def next_due(self, waiting: int) -> float:
        """Return when the next piece may pass."""
        return self._not_before

    def _draw(self) -> int:
        return self._random.choice((1, 1, self._random.randint(2, 8), self._random.randint(1, 256)))


class Paces:
    """Several paces at once; without any, everything may pass."""

    def __init__(self, *paces: Pace) -> None:
        self._paces = paces

    def begin(self, now: float) -> None:
        """Start a burst in all paces."""
        for pace in self._paces:
            pace.begin(now)

    def allowance(self, waiting: int, now: float) -> int:
        """Return how many of the waiting bytes may pass."""
        return min((pace.allowance(waiting, now) for pace in self._paces), default=waiting)

    def passed(self, count: int, now: float) -> None:
        """Record that so many bytes have passed."""
        for pace in self._paces:
            pace.passed(count, now)

    def next_due(self, waiting: int) -> float:
        """Return when more of the waiting bytes may pass."""
        return max((pace.next_due(waiting) for pace in self._paces), default=0.0)
