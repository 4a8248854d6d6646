"""Cost of open ports: idle, and each receiving at the full rate of its UART."""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from suite.charts import curve
from suite.effort import SMOKE, Effort, interleaved
from suite.processes import Measured, Peer, Subject, program, python
from suite.report import Table
from suite.statistics import median

BAUDRATE = 115_200
BITS_PER_BYTE = 10
PAYLOAD_SIZE = 100
MESSAGES_A_SECOND = 57
SECONDS = 5
COUNTS = (1, 8, 32, 64)
OURS = "simcom-mqtt"
BARE = "bare Rust poll/read loop"


def measure(effort: Effort) -> list[Table]:
    """Measures idle ports and ports under load."""
    return [_idle(effort), _load(effort)]


def _idle(effort: Effort) -> Table:
    seconds = 0.2 if effort is SMOKE else 10.0
    table = Table("An idle process", ["", "open ports", "wake-ups/s", "processor"])
    for ports in (1, 8):
        with Peer(ports=ports) as peer, Subject(python("open_ports", 0, *peer.ports)) as subject:
            subject.start()
            _wait_until_asleep(subject.pid)
            before = _switches(subject.pid)
            time.sleep(seconds)
            woken = _switches(subject.pid) - before
            subject.start()
            used = subject.result()["processor_ns"]
        table.add(OURS, str(ports), f"{woken / seconds:g}", f"{used / seconds / 1e9:.2%}")
        reached = f"{woken / seconds:g} wake-ups/s"
        table.reach(f"idle, {ports} open", "0 wake-ups/s", reached, met=woken == 0)
    table.notes.append("All threads of the process, by their context switches.")
    return table


def _load(effort: Effort) -> Table:
    counts = COUNTS[:2] if effort is SMOKE else COUNTS
    messages = effort.of(MESSAGES_A_SECOND * SECONDS)
    table = Table(
        "Open ports, each receiving 100-byte messages at a full 115,200 baud",
        ["", "ports", "processor", "… a port", "resident a further port"],
    )
    shares: dict[str, list[float]] = {OURS: [], BARE: []}
    resident: list[float] = []
    slowest = 1.0
    for ports in counts:
        contenders = {OURS: partial(_receive, ports, messages), BARE: partial(_poll, ports, messages)}
        for name, rounds in interleaved(contenders, effort.rounds).items():
            share = median(measured["processor_ns"] / measured["wall_ns"] for measured in rounds)
            shares[name].append(share)
            slowest = min(slowest, median(measured["pace"] for measured in rounds))
            memory = "–"
            if name == OURS:
                resident.append(median(measured["resident_kib"] for measured in rounds))
                if ports > 1:
                    memory = f"{(resident[-1] - resident[0]) / (ports - 1):.0f} KiB"
            table.add(name, str(ports), f"{share:.2%}", f"{share / ports:.3%}", memory)
    table.notes.append(f"The slowest of the peer's ports kept {slowest:.1%} of that pace.")
    table.curves["ports"] = curve(
        "Processor by open ports at full 115,200 baud", "ports", "% of a core", counts, shares
    )
    _reach(table, counts, shares, resident)
    return table


def _reach(
    table: Table, counts: Sequence[int], shares: dict[str, list[float]], resident: list[float]
) -> None:
    first, last = counts[0], counts[-1]
    ours, bare = shares[OURS][-1], shares[BARE][-1]
    slope = (ours - shares[OURS][0]) / (last - first)
    straight = [shares[OURS][0] + slope * (ports - first) for ports in counts]
    off = max(abs(share / line - 1) for share, line in zip(shares[OURS], straight, strict=True))
    table.reach(f"processor, {first} … {last} ports", "linear, ± 15 %", f"± {off:.0%}", met=off <= 0.15)
    reached = f"{ours:.1%}, it {bare:.1%}"
    met = ours <= 0.6 or ours <= 1.5 * bare
    table.reach(f"… {last} ports", "≤ 60 % of a core, or 1.5 × a bare loop", reached, met=met)
    further = (resident[-1] - resident[0]) / (last - first)
    table.reach("memory of each further port", "≤ 300 KiB", f"{further:.0f} KiB", met=further <= 300)


def _receive(ports: int, messages: int) -> Measured:
    with Peer(baudrate=BAUDRATE, ports=ports) as peer:
        return _loaded(peer, python("open_ports", messages, *peer.ports), messages)


def _poll(ports: int, messages: int) -> Measured:
    with Peer(baudrate=BAUDRATE, ports=ports) as peer:
        words = ["poll", str(PAYLOAD_SIZE), str(messages), *peer.ports]
        return _loaded(peer, [program("bare-host"), *words], messages)


def _loaded(peer: Peer, command: Sequence[str | int], messages: int) -> Measured:
    with Subject(command) as subject:
        subject.start()
        peer.tell(f"flood {PAYLOAD_SIZE} {messages}")
        measured = subject.result()
        floods = [stats["flood"] for stats in peer.all_stats()]
    wall = max(flood["ended_ns"] for flood in floods) - min(flood["began_ns"] for flood in floods)
    paces = [
        flood["bytes"] * BITS_PER_BYTE * 1e9 / (flood["ended_ns"] - flood["began_ns"]) for flood in floods
    ]
    return {**measured, "wall_ns": wall, "pace": min(paces) / BAUDRATE}


def _wait_until_asleep(pid: int) -> None:
    """Waits until no thread has run for 100 ms."""
    before = -1
    while (now := _switches(pid)) != before:
        before = now
        time.sleep(0.1)


def _switches(pid: int) -> int:
    """Returns the number of context switches of all threads of the process."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        lines = status.read_text().splitlines()
        total += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
    return total
