"""Tracks each message block until the host's operating system has taken it, cut it or lost it."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self

from simcom_mqtt.simulator.faults import BlockDamage

from .message_ids import MessageId


class BlockOutcome(Enum):
    """State in which a block arrived on the line."""

    WHOLE = auto()
    """Intact: the driver must deliver it."""
    ALTERED = auto()
    """Bytes inside topic or payload differ, their number does not: no driver can detect that."""
    DAMAGED = auto()
    """Bytes are missing, added or altered elsewhere: reported, or delivered as sent."""
    CUT = auto()
    """The end is missing: the driver must report it."""
    HEADLESS = auto()
    """Not even RXSTART arrived intact: the block does not count."""


@dataclass(frozen=True)
class Block:
    """One message on the line."""

    message_id: MessageId
    outcome: BlockOutcome
    altered: tuple[bytes, bytes] | None = None
    """Topic and payload that the driver delivers if the outcome is `ALTERED`."""

    @property
    def counts(self) -> bool:
        """True if the block is lost when it is not delivered."""
        return self.outcome is not BlockOutcome.HEADLESS


class CountedBuffer(bytearray):
    """A line's transmit buffer that records what happened to each byte put into it."""

    def __init__(self) -> None:
        super().__init__()
        self.put = 0
        """Number of bytes put into the buffer so far: a position in the module's output."""
        self.settled = 0
        """Position of the first byte that is neither taken nor dropped yet."""
        self.taken = 0
        """Number of bytes that the operating system took."""
        self._taken_until = 0
        self._dropped: list[tuple[int, int]] = []

    def __iadd__(self, data: Any) -> Self:  # type: ignore[misc] # no + is used that could differ
        self.put += len(data)
        return super().__iadd__(data)

    def __delitem__(self, index: Any) -> None:
        count = len(self)
        super().__delitem__(index)
        self.taken += count - len(self)
        self.settled += count - len(self)
        self._taken_until = self.settled

    def clear(self) -> None:
        """Drops the content."""
        if self:
            self._dropped.append((self.settled, self.settled + len(self)))
        self.settled = self.put
        super().clear()

    def cut_short(self, count: int) -> None:
        """Drops the last bytes. The rest must leave or be dropped before more bytes are put in."""
        self._dropped.append((self.put - count, self.put))
        super().__delitem__(slice(len(self) - count, None))

    def drop_unread(self, count: int) -> None:
        """Records that the operating system lost the last bytes it took: the host had not read them."""
        self.taken -= count
        if count:
            self._dropped.append((self._taken_until - count, self._taken_until))

    def first_dropped(self, start: int, end: int) -> int | None:
        """Returns the position of the first dropped byte in a range."""
        starts = [max(start, first) for first, last in self._dropped if first < end and last > start]
        return min(starts, default=None)


@dataclass(frozen=True)
class _SentBlock:
    """A block that was put into the buffer."""

    message_id: MessageId
    start: int
    end: int
    head_end: int
    damaged: Block


class BlockTracker:
    """The blocks that a module put on its line, with their outcomes once they are known."""

    def __init__(self, buffer: CountedBuffer) -> None:
        self._buffer = buffer
        self._sent: deque[_SentBlock] = deque()

    def sent(
        self,
        message_id: MessageId,
        parts: list[bytes],
        start: int,
        inserted: bytes,
        damage: BlockDamage | None,
    ) -> None:
        """Records that a block of these parts was put into the buffer, from `start` to its end."""
        head_end = len(parts[0])
        damaged = Block(message_id, BlockOutcome.WHOLE)
        if damage is not None:
            damaged = _after_damage(message_id, parts, inserted, damage)
        self._sent.append(_SentBlock(message_id, start, self._buffer.put, start + head_end, damaged))

    def known(self) -> list[Block]:
        """Returns the next blocks, in the order of the line, up to the first with an unknown outcome."""
        return list(self._take_known())

    def _take_known(self) -> Iterator[Block]:
        while self._sent and self._sent[0].end <= self._buffer.settled:
            sent = self._sent.popleft()
            cut = self._buffer.first_dropped(sent.start, sent.end)
            if cut is None or sent.damaged.outcome is BlockOutcome.HEADLESS:
                yield sent.damaged
            else:
                yield Block(
                    sent.message_id, BlockOutcome.CUT if cut >= sent.head_end else BlockOutcome.HEADLESS
                )


def _after_damage(message_id: MessageId, parts: list[bytes], inserted: bytes, damage: BlockDamage) -> Block:
    head_end = len(parts[0])
    counted = _counted_bytes(parts)
    parts = [*parts[:2], inserted, *parts[2:]]
    counted = [*counted[:2], range(0), *counted[2:]]
    block = b"".join(parts)
    damaged = damage.apply(block)
    if damaged[:head_end] != block[:head_end]:
        return Block(message_id, BlockOutcome.HEADLESS)
    if len(damaged) != len(block):
        return Block(message_id, BlockOutcome.DAMAGED)
    content, rest, position = bytearray(), bytearray(), 0
    for part, numbers in zip(parts, counted, strict=True):
        now = damaged[position : position + len(part)]
        content += now[numbers.start : numbers.stop]
        rest += now[: numbers.start] + part[numbers.start : numbers.stop] + now[numbers.stop :]
        position += len(part)
    if rest != block:
        return Block(message_id, BlockOutcome.DAMAGED)
    topic_length = int(parts[0].split(b",")[1])
    return Block(
        message_id, BlockOutcome.ALTERED, (bytes(content[:topic_length]), bytes(content[topic_length:]))
    )


def _counted_bytes(parts: list[bytes]) -> list[range]:
    """Returns the positions of topic or payload bytes in each part; the first and last part have none."""
    inner = [range(part.index(b"\r\n", part.index(b":")) + 2, len(part) - 2) for part in parts[1:-1]]
    return [range(0), *inner, range(0)]
