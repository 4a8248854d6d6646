"""Wire efficiency: share of the time on a paced line that the bytes themselves take."""

from functools import partial

from suite.effort import Effort, interleaved, is_installed
from suite.processes import Measured, Peer, python, run_on
from suite.report import Table, microseconds
from suite.statistics import median

PAYLOAD_SIZE = 1024
OURS = "simcom-mqtt"
WANTED = {115_200: 0.985, 460_800: 0.96, 3_000_000: 0.85}
# These numbers take about five seconds.
PUBLISHES = {115_200: 50, 460_800: 200, 3_000_000: 1_000}


def measure(effort: Effort) -> list[Table]:
    """Measures all baud rates."""
    table = Table(
        "Publishes of 1 KiB at QoS 1 on a paced line",
        ["", "baud", "wire efficiency", "median host reaction", "p99", "the peer's own lateness (p50)"],
    )
    for baudrate, publishes in PUBLISHES.items():
        count = effort.of(publishes)
        contenders = {OURS: partial(_publish, baudrate, count, "publish_simcom_mqtt")}
        if is_installed("serial"):
            contenders["pyserial, in_waiting"] = partial(
                _publish, baudrate, count, "publish_pyserial", "in_waiting"
            )
        for name, rounds in interleaved(contenders, effort.rounds).items():
            efficiency = median(
                measured["ideal_ns"] / (measured["wall_ns"] - measured["own_total_ns"]) for measured in rounds
            )
            reaction, tail = (
                median(measured["host"][key] for measured in rounds) for key in ("p50_ns", "p99_ns")
            )
            own = median(measured["own"]["p50_ns"] for measured in rounds)
            if name == OURS:
                wanted = WANTED[baudrate]
                met = efficiency >= wanted
                table.reach(
                    f"wire efficiency at {baudrate:,} baud", f"≥ {wanted:.1%}", f"{efficiency:.1%}", met=met
                )
                table.reach(
                    "… median host reaction", "≤ 100 µs", microseconds(reaction), met=reaction <= 100e3
                )
            table.add(
                name,
                f"{baudrate:,}",
                f"{efficiency:.1%}",
                microseconds(reaction),
                microseconds(tail),
                microseconds(own),
            )
    table.notes.append(
        "Ideal time of all bytes both ways ÷ wall time, less what the peer wrote late. A reaction lasts from"
        " the write of an answer's last packet to the host's next byte, the peer's waking up included."
    )
    return [table]


def _publish(baudrate: int, count: int, module: str, *words: str) -> Measured:
    with Peer(baudrate=baudrate) as peer:
        run_on(peer, python(module, peer.port, count, PAYLOAD_SIZE, baudrate, *words))
        return peer.stats()
