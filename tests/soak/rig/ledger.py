"""The account of every message, by the kind of fault that came before it."""

from collections import Counter, defaultdict
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Self

from simcom_mqtt import CommandTimeoutError, ConnectionLostError

from .fates import Block, Fate
from .marks import Mark
from .tap import Published

SURELY_NOT_SENT = (ConnectionLostError, CommandTimeoutError)


@dataclass
class Inbound:
    """Messages from the broker, counted from the moment their RXSTART is whole on the line."""

    sent: int = 0
    delivered: int = 0
    lost: int = 0
    reported: int = 0
    unreported: int = 0
    duplicated: int = 0
    altered: int = 0
    """… inside topic or payload, which no driver can see."""
    beside: int = 0
    """Lost, though whole on the line: given up with a damaged one beside it."""


@dataclass
class Outbound:
    """Messages that `publish_nowait` was called with."""

    sent: int = 0
    delivered: int = 0
    lost: int = 0
    reported: int = 0
    unreported: int = 0
    duplicated: int = 0
    """… and not because a QoS 1 publish went out again after a loss."""
    repeated: int = 0
    """… because of that."""
    behind_the_module: int = 0
    """QoS 0, taken by the module, and lost with its connection: MQTT promises no more."""


@dataclass
class Row:
    """One kind of fault."""

    times: int = 0

    def __post_init__(self) -> None:
        self.inbound = Inbound()
        self.outbound = Outbound()

    def __iadd__(self, other: Self) -> Self:
        self.times += other.times
        for mine, theirs in ((self.inbound, other.inbound), (self.outbound, other.outbound)):
            for field in fields(mine):
                setattr(mine, field.name, getattr(mine, field.name) + getattr(theirs, field.name))
        return self


Rows = defaultdict[str, Row]


class Arrivals:
    """What the driver delivered and reported, on one module."""

    def __init__(self) -> None:
        self.delivered: Counter[Mark] = Counter()
        self.reports: list[str] = []
        """Since the last settlement, why."""
        self._order: list[Mark] = []
        self._strange: list[tuple[bytes, bytes]] = []
        self._on_line: Counter[Mark] = Counter()
        self._open: list[Block] = []

    def deliver(self, mark: Mark | None, topic: bytes, payload: bytes) -> None:
        """A message came out of the driver."""
        if mark is None:
            self._strange.append((topic, payload))
            return
        self.delivered[mark] += 1
        self._order.append(mark)

    def expect(self, blocks: list[Block]) -> None:
        """These were on the line, in this order."""
        self._open += blocks

    def is_settled(self) -> bool:
        """Whether each is delivered, or as many as are missing are reported."""
        return len(self._missing()) <= len(self.reports)

    def settle(self, row: Row) -> list[str]:
        """Enter what was on the line into the account; what must not be is returned."""
        account = row.inbound
        missing = self._missing()
        unreported = missing[len(self.reports) :]
        complaints = [f"not delivered and not reported: {block}" for block in unreported]
        for block in self._open:
            if block.fate is Fate.ALTERED and block.altered in self._strange:
                self._strange.remove(block.altered)
                account.altered += 1
        counted = [block for block in self._open if block.counts]
        account.sent += len(counted)
        account.lost += len(missing)
        account.delivered += len(counted) - len(missing)
        account.unreported += len(unreported)
        account.reported += len(missing) - len(unreported)
        account.beside += sum(block.fate is Fate.WHOLE for block in missing)
        complaints += self._check_repetitions(row) + self._check_order()
        complaints += [f"delivered, and nobody sent it: {strange}" for strange in self._strange]
        self._open.clear()
        self._strange.clear()
        self.reports.clear()
        return complaints

    def _missing(self) -> list[Block]:
        came = Counter(self._strange)
        missing = []
        for block in self._open:
            if block.altered is not None and came[block.altered]:
                came[block.altered] -= 1
            elif block.counts and not self.delivered[block.mark]:
                missing.append(block)
        return missing

    def _check_repetitions(self, row: Row) -> list[str]:
        complaints = []
        for block in self._open:
            self._on_line[block.mark] += 1
            if self.delivered[block.mark] > self._on_line[block.mark]:
                row.inbound.duplicated += 1
                complaints.append(f"delivered {self.delivered[block.mark]} times: {block}")
        return complaints

    def _check_order(self) -> list[str]:
        places = {block.mark: place for place, block in enumerate(self._open)}
        settled = [mark for mark in self._order if mark in places]
        self._order = [mark for mark in self._order if mark not in places]
        complaints = []
        for client in (0, 1):
            order = [places[mark] for mark in settled if mark.client == client]
            complaints += [
                f"out of order: {self._open[later].mark} came before {self._open[earlier].mark}"
                for later, earlier in pairwise(order)
                if earlier < later
            ]
        return complaints


@dataclass(frozen=True)
class Outcome:
    """How one publish ended."""

    mark: Mark
    qos: int
    fault: str
    """The kind of fault that came last before its end."""
    error: BaseException | None


def settle_outbound(
    outcomes: list[Outcome], seen: Counter[Mark], published: dict[Mark, list[Published]], rows: Rows
) -> list[str]:
    """Enter every publish into the account; what must not be is returned."""
    complaints = []
    for outcome in outcomes:
        account = rows[outcome.fault].outbound
        mark, arrived = outcome.mark, seen[outcome.mark]
        handed_over = published.get(mark, [])
        account.sent += 1
        account.delivered += bool(arrived)
        account.lost += not arrived
        if not arrived and outcome.error is not None:
            account.reported += 1
        elif not arrived and outcome.qos == 0 and handed_over:
            account.behind_the_module += 1
        elif not arrived:
            account.unreported += 1
            complaints.append(f"done, and never seen: {mark} at QoS {outcome.qos}")
        if arrived > 1 and outcome.qos == 1 and sum(again.duplicate for again in handed_over) >= arrived - 1:
            account.repeated += arrived - 1
        elif arrived > 1:
            account.duplicated += arrived - 1
            complaints.append(f"seen {arrived} times: {mark} at QoS {outcome.qos}, {handed_over}")
        if arrived and isinstance(outcome.error, SURELY_NOT_SENT):
            complaints.append(
                f"said not to be sent, and seen: {mark} at QoS {outcome.qos}: {outcome.error!r}"
            )
    return complaints
