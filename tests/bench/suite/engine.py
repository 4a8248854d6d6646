"""The protocol engine alone, fed from memory: framer, reassembly and events together."""

import json
import subprocess
from functools import partial

from suite.effort import Effort, interleaved
from suite.processes import Measured, program
from suite.report import Table
from suite.statistics import median

SIZES = (1, 10, 100, 1_000, 10_240)
# Bytes in each run, for every message size.
STREAM = 16 << 20
FRAMING = 110


def measure(effort: Effort) -> list[Table]:
    """Measures each size of message."""
    contenders = {
        f"simcom-mqtt, {size:,} B": partial(_run, size, effort.of(STREAM // (size + FRAMING)))
        for size in SIZES
    }
    table = Table(
        "Received messages through the protocol engine alone, from memory",
        ["", "messages/s", "GB/s", "a message"],
    )
    times = {}
    speeds = {}
    for (name, rounds), size in zip(interleaved(contenders, effort.rounds).items(), SIZES, strict=True):
        times[size] = median(measured["nanoseconds"] / measured["count"] for measured in rounds)
        speeds[size] = median(measured["bytes"] / measured["nanoseconds"] for measured in rounds)
        table.add(name, f"{1e9 / times[size]:,.0f}", f"{speeds[size]:.2f}", f"{times[size]:,.0f} ns")
    table.reach("engine alone, 10 KiB", "≥ 1 GB/s", f"{speeds[10_240]:.2f} GB/s", met=speeds[10_240] >= 1)
    rate = 1e9 / times[100]
    table.reach("engine alone, 100 B", "≥ 3,000,000 messages/s", f"{rate:,.0f}/s", met=rate >= 3e6)
    slope = (times[10_240] - times[1]) / (10_240 - 1)
    above = max(times[size] / (times[1] + slope * (size - 1)) - 1 for size in SIZES)
    table.reach(
        "… growth from 1 B to 10 KiB",
        "linear",
        f"at most {above:.0%} above a straight line",
        met=above <= 0.15,
    )
    return [table]


def _run(size: int, count: int) -> Measured:
    result = subprocess.run(
        [program("engine-alone"), str(size), str(count)], check=True, capture_output=True, text=True
    )
    measured: Measured = json.loads(result.stdout)
    return {**measured, "count": count}
