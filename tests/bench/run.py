"""Measures the driver beside what people would use instead, and prints the tables: `make bench`.

`--smoke` runs every part as briefly as possible, to see that it works; its numbers mean nothing. `--docs`
measures nothing: it puts the results of the last whole run into `docs/measured.md`.
"""

import argparse
import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

from suite import measured_page
from suite.effort import SMOKE, Effort
from suite.measures import MEASURES
from suite.processes import BENCH
from suite.report import Table

RESULTS = BENCH / "results"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="as briefly as it can")
    parser.add_argument(
        "--rounds", type=int, default=Effort.rounds, help="rounds in which all contenders take turns (5)"
    )
    parser.add_argument(
        "--share", type=float, default=Effort.share, help="of the repetitions of a full run (1)"
    )
    parser.add_argument("--only", nargs="+", choices=MEASURES, default=list(MEASURES), help="what to measure")
    parser.add_argument("--output", type=Path, help="a folder for results.json, results.md and the curves")
    parser.add_argument("--docs", action="store_true", help="put the last whole run into the docs")
    arguments = parser.parse_args()
    if arguments.docs:
        measured_page.write((arguments.output or RESULTS) / "results.json")
        return
    effort = SMOKE if arguments.smoke else Effort(arguments.rounds, arguments.share)
    whole = effort == Effort() and arguments.only == list(MEASURES)
    machine = _machine(effort, "make bench" if whole else " ".join(["python", *sys.argv]))
    print(machine)
    tables: dict[str, list[Table]] = {}
    for name in arguments.only:
        began = time.monotonic()
        tables[name] = MEASURES[name](effort)
        print(*(table.to_markdown() for table in tables[name]), sep="\n", flush=True)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
    if arguments.output:
        _store(arguments.output, machine, tables, whole=whole)


def _store(folder: Path, machine: str, tables: dict[str, list[Table]], *, whole: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    all_tables = [table for part in tables.values() for table in part]
    stored: dict[str, Any] = {
        "machine": machine,
        "whole": whole,
        "tables": {name: [table.to_json() for table in part] for name, part in tables.items()},
    }
    (folder / "results.json").write_text(json.dumps(stored, indent=1, ensure_ascii=False) + "\n")
    (folder / "results.md").write_text("\n".join([machine, *(table.to_markdown() for table in all_tables)]))
    for table in all_tables:
        for name, picture in table.curves.items():
            (folder / f"{name}.svg").write_text(picture)


def _machine(effort: Effort, command: str) -> str:
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = names[0].partition(":")[2].strip() if names else platform.machine()
    return (
        f"Measured on {len(names)} × {processor}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}: medians of {effort.rounds} rounds "
        f"in which all took turns, by `{command}`.\n"
    )


main()
