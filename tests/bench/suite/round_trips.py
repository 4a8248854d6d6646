"""Publishes over a network with a round trip of 200 ms: with two clients, and with `publish_nowait`."""

from functools import partial

from suite.effort import Effort, interleaved
from suite.processes import Measured, Peer, python, run_on
from suite.report import Table
from suite.statistics import median

ROUND_TRIP_MS = 200
PUBLISHES = 20


def measure(effort: Effort) -> list[Table]:
    """Measures two clients, and one client that queues its publishes."""
    count = effort.of(PUBLISHES)
    contenders = {
        f"simcom-mqtt: two clients, {count} publishes each": partial(_run, "publish_both_clients", count),
        f"simcom-mqtt: one client, {count} × publish_nowait": partial(_run, "publish_nowait", count),
    }
    table = Table("Publishes over a round trip of 200 ms", ["", "total", "÷ (N × round trip)"])
    for name, rounds in interleaved(contenders, effort.rounds).items():
        total = median(measured["ended_ns"] - measured["began_ns"] for measured in rounds)
        ratio = total / (count * ROUND_TRIP_MS * 1e6)
        table.add(name, f"{total / 1e9:.3f} s", f"{ratio:.3f}")
        times = f"{ratio:.3f} × N × round trip"
        if "two clients" in name:
            table.reach("two clients, N publishes each", "≤ 1.1 × N × round trip", times, met=ratio <= 1.1)
        else:
            table.reach(
                "one client, N × publish_nowait", "near its floor, N × round trip", times, met=ratio <= 1.1
            )
    table.notes.append(
        "N × round trip is the floor for one client: the module has one topic and one payload a client, which"
        " PUB clears, and answers 14 (client is busy) to what comes before the result."
    )
    return [table]


def _run(module: str, count: int) -> Measured:
    with Peer(round_trip_ms=ROUND_TRIP_MS) as peer:
        return run_on(peer, python(module, peer.port, count))
