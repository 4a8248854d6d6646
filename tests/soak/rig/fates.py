"""What became of each message block on its way to the host's operating system."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Self

from simcom_mqtt.simulator.faults import BlockDamage

from .marks import Mark


class Fate(Enum):
    """How a block came out on the line."""

    WHOLE = auto()
    """To be delivered."""
    ALTERED = auto()
    """Bytes inside topic or payload differ, their number does not: no driver can see that."""
    DAMAGED = auto()
    """Bytes are missing, added or altered elsewhere: to be reported, or to be delivered as it was sent."""
    CUT = auto()
    """Its end did not come: to be reported."""
    HEADLESS = auto()
    """Not even its RXSTART came whole: it does not count."""


@dataclass(frozen=True)
class Block:
    """One message on the line."""

    mark: Mark
    fate: Fate
    altered: tuple[bytes, bytes] | None = None
    """Topic and payload, as they are to be delivered if the fate is `ALTERED`."""

    @property
    def counts(self) -> bool:
        """Whether it is lost if it is not delivered."""
        return self.fate is not Fate.HEADLESS


class CountedBuffer(bytearray):
    """A line's output that has not left yet, which remembers what became of every byte put into it."""

    def __init__(self) -> None:
        super().__init__()
        self.put = 0
        """Bytes ever put into it: a position in all that the module ever said."""
        self.settled = 0
        """Where that begins of which nothing is known yet."""
        self.taken = 0
        """Bytes that the operating system took."""
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
        """Drop what is in it."""
        if self:
            self._dropped.append((self.settled, self.settled + len(self)))
        self.settled = self.put
        super().clear()

    def cut_short(self, count: int) -> None:
        """Drop the last bytes of it; what is left is to leave or be dropped before more is put into it."""
        self._dropped.append((self.put - count, self.put))
        super().__delitem__(slice(len(self) - count, None))

    def drop_unread(self, count: int) -> None:
        """The operating system lost the last bytes that it took: nobody had read them."""
        self.taken -= count
        if count:
            self._dropped.append((self._taken_until - count, self._taken_until))

    def first_dropped(self, start: int, end: int) -> int | None:
        """The first byte of a range that was dropped."""
        starts = [max(start, first) for first, last in self._dropped if first < end and last > start]
        return min(starts, default=None)


@dataclass(frozen=True)
class _Sent:
    """A block that was put into the buffer."""

    mark: Mark
    start: int
    end: int
    head_end: int
    damaged: Block


class Fates:
    """The blocks that a module put on its line, and their fates as soon as they are known."""

    def __init__(self, buffer: CountedBuffer) -> None:
        self._buffer = buffer
        self._sent: deque[_Sent] = deque()

    def sent(
        self, mark: Mark, parts: list[bytes], start: int, inserted: bytes, damage: BlockDamage | None
    ) -> None:
        """A block of these parts was put into the buffer, from `start` to its end."""
        head_end = len(parts[0])
        damaged = Block(mark, Fate.WHOLE)
        if damage is not None:
            damaged = _after_damage(mark, parts, inserted, damage)
        self._sent.append(_Sent(mark, start, self._buffer.put, start + head_end, damaged))

    def known(self) -> list[Block]:
        """The next blocks, in the order of the line, up to the first that is still on its way."""
        return list(self._take_known())

    def _take_known(self) -> Iterator[Block]:
        while self._sent and self._sent[0].end <= self._buffer.settled:
            sent = self._sent.popleft()
            cut = self._buffer.first_dropped(sent.start, sent.end)
            if cut is None or sent.damaged.fate is Fate.HEADLESS:
                yield sent.damaged
            else:
                yield Block(sent.mark, Fate.CUT if cut >= sent.head_end else Fate.HEADLESS)


def _after_damage(mark: Mark, parts: list[bytes], inserted: bytes, damage: BlockDamage) -> Block:
    head_end = len(parts[0])
    counted = _counted_bytes(parts)
    parts = [*parts[:2], inserted, *parts[2:]]
    counted = [*counted[:2], range(0), *counted[2:]]
    block = b"".join(parts)
    damaged = damage.apply(block)
    if damaged[:head_end] != block[:head_end]:
        return Block(mark, Fate.HEADLESS)
    if len(damaged) != len(block):
        return Block(mark, Fate.DAMAGED)
    content, rest, position = bytearray(), bytearray(), 0
    for part, numbers in zip(parts, counted, strict=True):
        now = damaged[position : position + len(part)]
        content += now[numbers.start : numbers.stop]
        rest += now[: numbers.start] + part[numbers.start : numbers.stop] + now[numbers.stop :]
        position += len(part)
    if rest != block:
        return Block(mark, Fate.DAMAGED)
    topic_length = int(parts[0].split(b",")[1])
    return Block(mark, Fate.ALTERED, (bytes(content[:topic_length]), bytes(content[topic_length:])))


def _counted_bytes(parts: list[bytes]) -> list[range]:
    """Where topic or payload are in each part; nowhere in the first and the last."""
    inner = [range(part.index(b"\r\n", part.index(b":")) + 2, len(part) - 2) for part in parts[1:-1]]
    return [range(0), *inner, range(0)]
