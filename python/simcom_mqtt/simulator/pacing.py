"""How fast, and in which pieces, bytes may pass: a UART's pace, and pieces of random length."""

import random
from typing import Final, Protocol

BITS_PER_BYTE: Final = 10
QUANTUM: Final = 0.001
"""A paced line wakes up at most this often, in seconds, unless a byte takes longer."""
PIECE_GAP: Final = 0.000_2
"""Between two pieces the reader gets this long, in seconds, to see them apart."""
_TOLERANCE: Final = 1e-6


class Pace(Protocol):
    """Says how many waiting bytes may pass at a moment."""

    def begin(self, now: float) -> None:
        """Take note that bytes are waiting where none were, or that those which were due could not pass."""

    def allowance(self, waiting: int, now: float) -> int:
        """Return how many of the waiting bytes may pass."""

    def passed(self, count: int, now: float) -> None:
        """Take note that so many bytes have passed."""

    def next_due(self, waiting: int) -> float:
        """Return when more of the waiting bytes may pass."""


class UartPace:
    """One byte every ten bit times. Deadlines count from the first byte of a burst, so nothing drifts."""

    def __init__(self, baud_rate: int) -> None:
        self._byte_time = BITS_PER_BYTE / baud_rate
        self._start = 0.0
        self._count = 0

    def begin(self, now: float) -> None:
        """Begin a burst: now, or when the last byte of the former one is off the wire."""
        self._start = max(now, self._start + self._count * self._byte_time)
        self._count = 0

    def allowance(self, waiting: int, now: float) -> int:
        """Return how many of the waiting bytes have had their time on the wire."""
        through = int((now - self._start) / self._byte_time + _TOLERANCE)
        return max(0, min(waiting, through - self._count))

    def passed(self, count: int, now: float) -> None:
        """Take note that so many bytes have passed."""
        self._count += count

    def next_due(self, waiting: int) -> float:
        """Return when the next byte is through, or a quantum's worth of them."""
        together = max(1, min(waiting, int(QUANTUM / self._byte_time)))
        return self._start + (self._count + together) * self._byte_time


class RandomPieces:
    """Pieces of random length, often a single byte; where they end depends on the seed alone."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._left = self._draw()
        self._not_before = 0.0

    def begin(self, now: float) -> None:
        """Take note that bytes are waiting."""

    def allowance(self, waiting: int, now: float) -> int:
        """Return how much of the piece may pass."""
        return 0 if now < self._not_before else min(waiting, self._left)

    def passed(self, count: int, now: float) -> None:
        """Take note that so many bytes have passed."""
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
    """All of several paces together; of none: everything may pass at once."""

    def __init__(self, *paces: Pace) -> None:
        self._paces = paces

    def begin(self, now: float) -> None:
        """Take note that bytes are waiting where none were."""
        for pace in self._paces:
            pace.begin(now)

    def allowance(self, waiting: int, now: float) -> int:
        """Return how many of the waiting bytes may pass."""
        return min((pace.allowance(waiting, now) for pace in self._paces), default=waiting)

    def passed(self, count: int, now: float) -> None:
        """Take note that so many bytes have passed."""
        for pace in self._paces:
            pace.passed(count, now)

    def next_due(self, waiting: int) -> float:
        """Return when more of the waiting bytes may pass."""
        return max((pace.next_due(waiting) for pace in self._paces), default=0.0)
