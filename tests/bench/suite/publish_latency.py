"""Latency of one publish (TOPIC, PAYLOAD, PUB, result): alone, and next to a thread that computes."""

import sys
from collections.abc import Callable
from functools import partial

from suite.effort import SMOKE, Effort, interleaved, is_installed
from suite.processes import Measured, Peer, program, python, run_on
from suite.report import Table, microseconds, milliseconds
from suite.statistics import median, median_of_rounds

PAYLOAD_SIZE = 64
BAUDRATE = 115_200
OURS = "simcom-mqtt"
ATAT = "atat, no cool-down"
Contender = Callable[[], Measured]


def measure(effort: Effort) -> list[Table]:
    """Measures a publish alone, and next to a thread that computes."""
    return [_alone(effort), _computing(effort)]


def _alone(effort: Effort) -> Table:
    count, few = effort.of(5_000), effort.of(100)
    contenders: dict[str, Contender] = {
        "bare Rust host (limit of the peer)": partial(_bare, count),
        OURS: partial(_python, "publish_simcom_mqtt", count),
    }
    if is_installed("serial"):
        for reading in ("readline", "in_waiting"):
            contenders[f"pyserial, {reading}"] = partial(_python, "publish_pyserial", count, reading)
    # Building takes a minute, too long for a smoke run.
    if effort is not SMOKE:
        contenders[ATAT] = partial(_atat, count, 0)
        contenders["atat, its default cool-down of 20 ms"] = partial(_atat, few, 20)
    if is_installed("atlib"):
        contenders["atlib"] = partial(_python, "publish_atlib", few)
    if is_installed("pyatcommand"):
        contenders["pyatcommand"] = partial(_python, "publish_pyatcommand", 2)
    table = Table(
        "One publish of 64 bytes, unpaced", ["", "p50", "p99", "publishes/s", "reaction of the peer (p50)"]
    )
    medians: dict[str, float] = {}
    tails: dict[str, float] = {}
    for name, rounds in interleaved(contenders, effort.rounds).items():
        latencies = [measured["latencies_ns"] for measured in rounds]
        p50, p99 = (median_of_rounds(latencies, share) for share in (0.5, 0.99))
        medians[name], tails[name] = p50, p99
        rate = median(len(times) * 1e9 / sum(times) for times in latencies)
        own = median(measured["peer"]["own"]["p50_ns"] for measured in rounds)
        table.add(name, milliseconds(p50), milliseconds(p99), f"{rate:,.0f}", microseconds(own))
    table.notes.append(
        "atlib looks for answers every 10 ms and takes text only. pyatcommand waits out its read timeout"
        " of a second at each prompt, and ends here at the `OK`: what comes right behind it does not reach"
        " its user."
        " atat spins while it waits for an answer: a core of its own."
    )
    ours, tail = medians.pop(OURS), tails[OURS]
    table.reach("one publish of 64 B, p50", "≤ 0.30 ms", milliseconds(ours), met=ours <= 0.3e6)
    table.reach("… p99", "≤ 2 ms", milliseconds(tail), met=tail <= 2e6)
    for peers, name in (("pyserial", "the best pyserial idiom"), (ATAT, ATAT)):
        if best := min((time for peer, time in medians.items() if peer.startswith(peers)), default=None):
            reached = f"{milliseconds(ours)}, it {milliseconds(best)}"
            table.reach("… p50", f"≤ {name}", reached, met=ours <= best)
    return table


def _computing(effort: Effort) -> Table:
    count = effort.of(500)
    contenders: dict[str, Contender] = {OURS: partial(_python, "publish_simcom_mqtt", count, "computing")}
    if is_installed("serial"):
        for reading in ("readline", "in_waiting"):
            contenders[f"pyserial, {reading}"] = partial(
                _python, "publish_pyserial", count, reading, "computing"
            )
    interval = sys.getswitchinterval() * 1e9
    table = Table("… while another Python thread computes", ["", "p50", "p99", "p99 in switch intervals"])
    tails: dict[str, float] = {}
    for name, rounds in interleaved(contenders, effort.rounds).items():
        latencies = [measured["latencies_ns"] for measured in rounds]
        p50, tails[name] = (median_of_rounds(latencies, share) for share in (0.5, 0.99))
        table.add(name, milliseconds(p50), milliseconds(tails[name]), f"{tails[name] / interval:.1f}")
    ours = tails.pop(OURS)
    measure = "one publish while another Python thread computes, p99"
    if sys.version_info[:2] == (3, 11):
        intervals = ours / interval
        table.reach(measure, "≤ 3 switch intervals", f"{intervals:.1f} switch intervals", met=intervals <= 3)
    if tails:
        best = min(tails.values())
        reached = f"{milliseconds(ours)}, it {milliseconds(best)}"
        table.reach(measure, "≤ pyserial", reached, met=ours <= best)
    return table


def _python(module: str, count: int, *words: str) -> Measured:
    with Peer() as peer:
        measured = run_on(peer, python(module, peer.port, count, PAYLOAD_SIZE, BAUDRATE, *words))
        return {**measured, "peer": peer.stats()}


def _bare(count: int) -> Measured:
    with Peer() as peer:
        measured = run_on(peer, [program("bare-host"), "publish", peer.port, count, PAYLOAD_SIZE])
        return {**measured, "peer": peer.stats()}


def _atat(count: int, cool_down_ms: int) -> Measured:
    with Peer() as peer:
        measured = run_on(peer, [program("atat-host"), peer.port, count, PAYLOAD_SIZE, cool_down_ms])
        return {**measured, "peer": peer.stats()}
