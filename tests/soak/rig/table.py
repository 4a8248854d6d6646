"""Prints the counts as a table."""

from collections.abc import Sequence

from .message_log import CountsByFault, FaultCounts

_COUNTS = ("delivered", "lost", "reported", "duplicated")
_COLUMNS = ("", "faults", "sent to the host", *_COUNTS, "sent from the host", *_COUNTS)


def print_table(rows: CountsByFault, title: str) -> None:
    """Prints a table in Markdown, and further totals below."""
    total = FaultCounts()
    for row in rows.values():
        total += row
    lines: list[Sequence[str]] = [_COLUMNS]
    lines += [_cells(kind, row) for kind, row in rows.items()]
    lines.append(_cells("**all**", total))
    lines.insert(1, ["---", *("---:" for _ in _COLUMNS[1:])])
    for line in lines:
        print(f"| {' | '.join(line)} |")
    print()
    print(title)
    print(
        f"lost without a report: {total.inbound.unreported} to the host, {total.outbound.unreported} from it"
    )
    print(f"altered inside topic or payload, which no driver can detect: {total.inbound.altered}")
    print(f"dropped although intact, with a damaged message next to it: {total.inbound.lost_beside_damage}")
    print(f"QoS 1, sent again after a loss: {total.outbound.repeated}")
    print(f"QoS 0, accepted by the module and lost with its connection: {total.outbound.lost_after_module}")


def _cells(name: str, row: FaultCounts) -> list[str]:
    inbound, outbound = row.inbound, row.outbound
    numbers = [
        row.times,
        *(inbound.sent, inbound.delivered, inbound.lost, inbound.reported, inbound.duplicated),
        *(outbound.sent, outbound.delivered, outbound.lost, outbound.reported, outbound.duplicated),
    ]
    return [name, *(f"{number:,}" for number in numbers)]
