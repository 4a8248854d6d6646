"""Counts instructions of the sans-IO core with callgrind: equal on all machines with the same compiler.

`python -m suite.instructions` in tests/bench records the counts of this compiler after an intended change.
"""

import json
import re
import subprocess
from pathlib import Path

from suite.processes import BENCH, program

COUNTS = BENCH / "instruction_counts.json"
CASES = ("receive-100", "receive-10240", "publish-64")


def count(case: str) -> int:
    """Returns the instructions for a hundred messages or publishes."""
    counted = subprocess.run(
        [
            "valgrind",
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--toggle-collect=*counted*",
            program("count-instructions"),
            case,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    found = re.search(r"Collected : (\d+)", counted.stderr)
    assert found, counted.stderr
    assert int(found[1]) > 0, "callgrind did not find the function `counted`"
    return int(found[1])


def compiler() -> str:
    """Returns the version of the compiler and its target."""
    output = subprocess.run(["rustc", "-vV"], check=True, capture_output=True, text=True, cwd=BENCH).stdout
    facts = dict(line.split(": ", 1) for line in output.splitlines() if ": " in line)
    return f"rustc {facts['release']} {facts['host']}"


def recorded() -> dict[str, int]:
    """Returns the recorded counts of this compiler; empty if none are recorded."""
    counts: dict[str, int] = json.loads(COUNTS.read_text()).get(compiler(), {})
    return counts


def record() -> None:
    """Records the counts of this compiler."""
    all_counts = json.loads(COUNTS.read_text())
    all_counts[compiler()] = {case: count(case) for case in CASES}
    Path(COUNTS).write_text(json.dumps(all_counts, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    record()
