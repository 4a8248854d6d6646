"""Import time and installed size of the package."""

import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

from suite.effort import SMOKE, Effort, interleaved
from suite.processes import BENCH, Measured
from suite.report import Table, milliseconds
from suite.statistics import median

CLOCK = "import time; began = time.perf_counter_ns(); {}; print(time.perf_counter_ns() - began)"


def measure(effort: Effort) -> list[Table]:
    """Measures the import time over an empty interpreter, and the size of the wheel."""
    contenders = {
        name: partial(_import, statement)
        for name, statement in {
            "simcom-mqtt": "import simcom_mqtt",
            "logging alone": "import logging",
            "paho-mqtt": "import paho.mqtt.client",
        }.items()
    }
    table = Table("Import", ["", "time over an empty interpreter"])
    times = {
        name: median(measured["nanoseconds"] for measured in rounds)
        for name, rounds in interleaved(contenders, max(effort.of(20), 2)).items()
    }
    for name, time in times.items():
        table.add(name, milliseconds(time))
    above = times["simcom-mqtt"] - times["logging alone"]
    table.reach("import simcom_mqtt above import logging", "≤ 4 ms", milliseconds(above), met=above <= 4e6)
    return [table] if effort is SMOKE else [table, _wheel()]


def _import(statement: str) -> Measured:
    result = subprocess.run(
        [sys.executable, "-c", CLOCK.format(statement)], check=True, capture_output=True, text=True
    )
    return {"nanoseconds": int(result.stdout)}


def _wheel() -> Table:
    table = Table("Wheel", ["", "size"])
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder]
        subprocess.run([*command, str(BENCH.parents[1])], check=True)
        for wheel in Path(folder).iterdir():
            size = wheel.stat().st_size / 1e6
            table.add("simcom-mqtt", f"{size:.2f} MB")
            table.reach("wheel", "≤ 1.5 MB", f"{size:.2f} MB", met=size <= 1.5)
    return table
