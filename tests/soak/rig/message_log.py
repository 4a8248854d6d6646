"""Log of all messages and their outcomes, counted by the kind of fault that came before them."""

from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

from simcom_mqtt import CommandTimeoutError, ConnectionLostError

from .block_outcomes import Block, BlockOutcome
from .line_tap import Published
from .message_ids import MessageId

CERTAINLY_NOT_SENT = (ConnectionLostError, CommandTimeoutError)


@dataclass
class InboundCounts:
    """Counts of messages from the broker whose RXSTART arrived intact on the line."""

    sent: int = 0
    delivered: int = 0
    lost: int = 0
    reported: int = 0
    unreported: int = 0
    duplicated: int = 0
    altered: int = 0
    """Altered inside topic or payload, which no driver can detect."""
    lost_beside_damage: int = 0
    """Intact on the line, but dropped together with a damaged message next to it."""


@dataclass
class OutboundCounts:
    """Counts of messages passed to `publish_nowait`."""

    sent: int = 0
    delivered: int = 0
    lost: int = 0
    reported: int = 0
    unreported: int = 0
    duplicated: int = 0
    """Duplicated without a resend that explains it."""
    repeated: int = 0
    """Duplicated because a QoS 1 publish was sent again after a loss."""
    lost_after_module: int = 0
    """QoS 0, accepted by the module, and lost with its connection: MQTT allows that."""


@dataclass
class FaultCounts:
    """Counts for one kind of fault: a row of the result table."""

    times: int = 0

    def __post_init__(self) -> None:
        self.inbound = InboundCounts()
        self.outbound = OutboundCounts()

    def __iadd__(self, other: Self) -> Self:
        self.times += other.times
        for mine, theirs in ((self.inbound, other.inbound), (self.outbound, other.outbound)):
            for field in fields(mine):
                setattr(mine, field.name, getattr(mine, field.name) + getattr(theirs, field.name))
        return self


CountsByFault = defaultdict[str, FaultCounts]


class InboundLog:
    """Messages that the driver of one module delivered and reported, compared with those on the line."""

    def __init__(self) -> None:
        self.delivered: Counter[MessageId] = Counter()
        self.reports: list[str] = []
        """Reasons of the messages reported lost since the last `settle`."""
        self._order: list[MessageId] = []
        self._unexpected: list[tuple[bytes, bytes]] = []
        self._on_line: Counter[MessageId] = Counter()
        self._open: list[Block] = []

    def deliver(self, message_id: MessageId | None, topic: bytes, payload: bytes) -> None:
        """Records a message that the driver delivered."""
        if message_id is None:
            self._unexpected.append((topic, payload))
            return
        self.delivered[message_id] += 1
        self._order.append(message_id)

    def expect(self, blocks: list[Block]) -> None:
        """Records blocks that were on the line, in this order."""
        self._open += blocks

    def is_settled(self) -> bool:
        """Returns True if each block is delivered, or as many are reported as are missing."""
        return len(self._missing()) <= len(self.reports)

    def settle(self, row: FaultCounts) -> list[str]:
        """Adds the blocks on the line to the row's counts and returns the problems."""
        counts = row.inbound
        missing = self._missing()
        unreported = missing[len(self.reports) :]
        problems = [f"not delivered and not reported: {block}" for block in unreported]
        for block in self._open:
            if block.outcome is BlockOutcome.ALTERED and block.altered in self._unexpected:
                self._unexpected.remove(block.altered)
                counts.altered += 1
        counted = [block for block in self._open if block.counts]
        counts.sent += len(counted)
        counts.lost += len(missing)
        counts.delivered += len(counted) - len(missing)
        counts.unreported += len(unreported)
        counts.reported += len(missing) - len(unreported)
        counts.lost_beside_damage += sum(block.outcome is BlockOutcome.WHOLE for block in missing)
        problems += self._check_repetitions(row) + self._check_order()
        problems += [f"delivered, but never sent: {unexpected}" for unexpected in self._unexpected]
        self._open.clear()
        self._unexpected.clear()
        self.reports.clear()
        return problems

    def _missing(self) -> list[Block]:
        came = Counter(self._unexpected)
        missing = []
        for block in self._open:
            if block.altered is not None and came[block.altered]:
                came[block.altered] -= 1
            elif block.counts and not self.delivered[block.message_id]:
                missing.append(block)
        return missing

    def _check_repetitions(self, row: FaultCounts) -> list[str]:
        problems = []
        for block in self._open:
            self._on_line[block.message_id] += 1
            if self.delivered[block.message_id] > self._on_line[block.message_id]:
                row.inbound.duplicated += 1
                problems.append(f"delivered {self.delivered[block.message_id]} times: {block}")
        return problems

    def _check_order(self) -> list[str]:
        places = {block.message_id: place for place, block in enumerate(self._open)}
        settled = [message_id for message_id in self._order if message_id in places]
        self._order = [message_id for message_id in self._order if message_id not in places]
        problems = []
        for client in (0, 1):
            order = [places[message_id] for message_id in settled if message_id.client == client]
            problems += [
                f"out of order: {self._open[later].message_id} came before {self._open[earlier].message_id}"
                for later, earlier in pairwise(order)
                if earlier < later
            ]
        return problems


@dataclass(frozen=True)
class PublishOutcome:
    """Outcome of one publish."""

    message_id: MessageId
    qos: int
    fault: str
    """Kind of the last fault before the publish ended."""
    error: BaseException | None


def settle_outbound(
    outcomes: list[PublishOutcome],
    seen: Counter[MessageId],
    published: dict[MessageId, list[Published]],
    rows: CountsByFault,
) -> list[str]:
    """Adds every publish to the counts of its fault and returns the problems."""
    problems = []
    for outcome in outcomes:
        counts = rows[outcome.fault].outbound
        message_id, arrived = outcome.message_id, seen[outcome.message_id]
        handed_over = published.get(message_id, [])
        counts.sent += 1
        counts.delivered += bool(arrived)
        counts.lost += not arrived
        if not arrived and outcome.error is not None:
            counts.reported += 1
        elif not arrived and outcome.qos == 0 and handed_over:
            counts.lost_after_module += 1
        elif not arrived:
            counts.unreported += 1
            problems.append(f"done, but never seen: {message_id} at QoS {outcome.qos}")
        if arrived > 1 and outcome.qos == 1 and sum(again.duplicate for again in handed_over) >= arrived - 1:
            counts.repeated += arrived - 1
        elif arrived > 1:
            counts.duplicated += arrived - 1
            problems.append(f"seen {arrived} times: {message_id} at QoS {outcome.qos}, {handed_over}")
        if arrived and isinstance(outcome.error, CERTAINLY_NOT_SENT):
            problems.append(
                f"reported as not sent, but seen: {message_id} at QoS {outcome.qos}: {outcome.error!r}"
            )
    return problems
