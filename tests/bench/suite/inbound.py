"""Received messages to a Python callback: maximum rate, and latency at a low rate."""

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from suite.broker import Broker
from suite.effort import Effort, interleaved, is_installed
from suite.processes import Measured, Peer, Subject, program, python
from suite.report import Table, microseconds
from suite.statistics import median, median_of_rounds

LIMIT = "bare 64-KiB read of the same stream"
OURS = "simcom-mqtt"
PAHO = "paho-mqtt, from a loopback Mosquitto"
INTERVAL_US = 2_000
# The queue of the callbacks holds this many when they fall behind: 64 MiB.
MOST_10_KIB = 6_000


def measure(effort: Effort) -> list[Table]:
    """Measures floods of both sizes, the dispatcher alone, and the latency."""
    return [
        _flood(effort, "100 B", 100, effort.of(60_000)),
        _flood(effort, "10 KiB", 10_240, effort.of(MOST_10_KIB)),
        _dispatcher(effort),
        _latency(effort),
    ]


def _flood(effort: Effort, name: str, size: int, count: int) -> Table:
    contenders: dict[str, Callable[[], Measured]] = {
        LIMIT: partial(
            _flooded, lambda port, count: [program("bare-host"), "read", port, size, count], size, count
        ),
        OURS: partial(_flooded, partial(python, "receive_simcom_mqtt"), size, count),
    }
    if is_installed("serial"):
        fewer = max(count // 20, 2)
        for reading in ("readline", "in_waiting"):
            contenders[f"pyserial, {reading}"] = partial(
                _flooded,
                partial(_pyserial, reading),
                size,
                fewer,
            )
    contenders[PAHO] = partial(_paho, size, max(count // 4, 2))
    rates = {
        name: median(measured["rate"] for measured in rounds)
        for name, rounds in interleaved(contenders, effort.rounds).items()
    }
    table = Table(
        f"Inbound messages of {name} to a Python callback, unpaced",
        ["", "messages/s", "payload MB/s", "simcom-mqtt is … × as fast"],
    )
    for contender, rate in rates.items():
        table.add(contender, f"{rate:,.0f}", f"{rate * size / 1e6:.1f}", f"{rates[OURS] / rate:.2f}")
    _reach(table, name, rates)
    return table


def _reach(table: Table, size: str, rates: Mapping[str, float]) -> None:
    share, wanted = rates[OURS] / rates[LIMIT], 0.6 if size == "100 B" else 0.7
    table.reach(f"inbound, {size}", f"≥ {wanted:.0%} of a bare read", f"{share:.0%}", met=share >= wanted)
    if size != "100 B":
        return
    wanted_times = {PAHO: 5, "pyserial, readline": 10, "pyserial, in_waiting": 10}
    for peer, times in wanted_times.items():
        if rate := rates.get(peer):
            ratio = rates[OURS] / rate
            table.reach("…", f"≥ {times} × {peer}", f"{ratio:.1f} ×", met=ratio >= times)


def _dispatcher(effort: Effort) -> Table:
    count = effort.of(60_000)

    def run() -> Measured:
        measured = _flooded(partial(python, "dispatch_simcom_mqtt"), 100, count)
        return {"rate": count * 1e9 / (measured["ended_ns"] - measured["began_ns"])}

    rounds = interleaved({OURS: run}, effort.rounds)[OURS]
    table = Table("The dispatcher alone, from a full queue", ["", "callbacks/s"])
    rate = median(measured["rate"] for measured in rounds)
    table.add(OURS, f"{rate:,.0f}")
    table.reach("dispatcher alone", "≥ 500,000 callbacks/s", f"{rate:,.0f}/s", met=rate >= 500_000)
    return table


def _latency(effort: Effort) -> Table:
    count = effort.of(2_000)

    def run() -> Measured:
        with Peer() as peer, Subject(python("latency_simcom_mqtt", peer.port, count)) as subject:
            subject.start()
            peer.tell(f"messages 100 {count} {INTERVAL_US}")
            return subject.result()

    rounds = interleaved({OURS: run}, effort.rounds)[OURS]
    latencies = [measured["latencies_ns"] for measured in rounds]
    table = Table("From the write of a message's last byte to its callback, process idle", ["", "p50", "p99"])
    p50, p99 = (median_of_rounds(latencies, share) for share in (0.5, 0.99))
    table.add(OURS, microseconds(p50), microseconds(p99))
    table.reach("inbound latency, p50", "≤ 100 µs", microseconds(p50), met=p50 <= 100e3)
    table.reach("… p99", "≤ 1 ms", microseconds(p99), met=p99 <= 1e6)
    table.notes.append(f"100 bytes every {INTERVAL_US / 1000:.0f} ms; the write itself is part of it.")
    return table


def _flooded(command: Callable[[str, int], Sequence[str | int]], size: int, count: int) -> Measured:
    with Peer() as peer, Subject(command(peer.port, count)) as subject:
        subject.start()
        peer.tell(f"flood {size} {count}")
        measured = subject.result()
        began = peer.stats()["flood"]["began_ns"]
        if measured.get("dropped"):
            print(f"{measured['dropped']} messages dropped", file=sys.stderr)
        return {"rate": count * 1e9 / (measured["ended_ns"] - began), **measured}


def _pyserial(reading: str, port: str, count: int) -> list[str | int]:
    return python("receive_pyserial", port, count, reading)


def _paho(size: int, count: int) -> Measured:
    with (
        Broker() as broker,
        Subject(python("receive_paho", broker.port, count)) as receiver,
        Subject(python("publish_paho", broker.port, count, size)) as publisher,
    ):
        receiver.start()
        publisher.start()
        measured = receiver.result()
        publisher.result()
        return {"rate": count * 1e9 / (measured["ended_ns"] - measured["began_ns"])}
