"""Writes the results of a whole run into `docs/measured.md`, between two marks, and the curves beside it."""

import json
from pathlib import Path
from typing import Any

from suite.measures import MEASURES
from suite.processes import BENCH
from suite.report import Table, markdown

ROOT = BENCH.parents[1]
DOCS = "docs"
PAGE = "measured.md"
PICTURES = "pictures/"
BEGIN = "<!-- measured by make bench: begin -->"
END = "<!-- measured by make bench: end -->"


def write(results: Path, root: Path = ROOT) -> None:
    """Puts `results` into the page and its pictures. Refuses the results of a part of the suite."""
    if not results.exists():
        raise SystemExit(f"there is no {results}: make bench")
    stored = json.loads(results.read_text())
    missing = [name for name in MEASURES if name not in stored["tables"]]
    if missing or not stored["whole"]:
        reason = f"it lacks {', '.join(missing)}" if missing else "it was cut short"
        raise SystemExit(f"{results} is not of a whole run, {reason}: make bench")
    tables = [Table.from_json(table) for name in MEASURES for table in stored["tables"][name]]
    page = root / DOCS / PAGE
    text = page.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise SystemExit(f"{DOCS}/{PAGE} must have one line {BEGIN} and, below it, one {END}")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    page.write_text(f"{before}{BEGIN}\n{_block(stored, tables)}{END}{after}")
    folder = root / DOCS / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    for table in tables:
        for name, picture in table.curves.items():
            (folder / f"{name}.svg").write_text(picture)


def _block(stored: dict[str, Any], tables: list[Table]) -> str:
    bars = [bar for table in tables for bar in table.bars]
    verdicts = [[bar.measure, bar.bar, bar.reached if bar.met else f"**{bar.reached}**"] for bar in bars]
    return "\n".join(
        [
            stored["machine"],
            markdown([["", "to reach", "reached (**missed**)"], *verdicts]),
            "",
            *(table.to_markdown(PICTURES) for table in tables),
        ]
    )
