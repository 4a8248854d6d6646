"""Measures the driver beside what people would use instead, and prints the tables: `make bench`.

`--smoke` runs all of it as briefly as it can, to see that it works; its numbers mean nothing.
"""

import argparse
import platform
import sys
import time
from pathlib import Path

from suite.effort import SMOKE, Effort
from suite.measures import MEASURES


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="as briefly as it can")
    parser.add_argument("--rounds", type=int, default=5, help="rounds in which all contenders take turns (5)")
    parser.add_argument("--share", type=float, default=1.0, help="of the repetitions of a full run (1)")
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES), help="what to measure")
    parser.add_argument(
        "--output", type=Path, help="a folder for results.md and the curves, beside the output"
    )
    arguments = parser.parse_args()
    effort = SMOKE if arguments.smoke else Effort(arguments.rounds, arguments.share)

    parts = [_machine(effort)]
    print(parts[0])
    curves: dict[str, str] = {}
    for name in arguments.only:
        began = time.monotonic()
        tables = MEASURES[name](effort)
        measured = [table.to_markdown() for table in tables]
        print(*measured, sep="\n", flush=True)
        parts += measured
        curves.update(curve for table in tables for curve in table.curves)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "results.md").write_text("\n".join(parts))
        for name, picture in curves.items():
            (arguments.output / f"{name}.svg").write_text(picture)


def _machine(effort: Effort) -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = names[0].partition(":")[2].strip() if names else platform.machine()
    return (
        f"Measured on {len(names)} × {processor}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}: medians of {effort.rounds} rounds in which all took turns, "
        f"by `{' '.join(['python', *sys.argv])}`.\n"
    )


main()
