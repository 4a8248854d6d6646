"""Result tables in Markdown, with targets and results."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Bar:
    """A target and the result that was reached."""

    measure: str
    bar: str
    reached: str
    met: bool


@dataclass
class Table:
    """Measurements of one kind, with a row for each contender."""

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # SVG pictures by name.
    curves: dict[str, str] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Returns the table that `to_json` stored."""
        return cls(**{**stored, "bars": [Bar(**bar) for bar in stored["bars"]]})

    def add(self, *cells: str) -> None:
        """Adds a row."""
        assert len(cells) == len(self.columns)
        self.rows.append(list(cells))

    def reach(self, measure: str, bar: str, reached: str, *, met: bool) -> None:
        """Adds a target and its result."""
        self.bars.append(Bar(measure, bar, reached, bool(met)))

    def to_json(self) -> dict[str, Any]:
        """Returns the table as JSON values."""
        return asdict(self)

    def to_markdown(self, pictures: str = "") -> str:
        """Returns the table with its title, notes and curves; `pictures` is the folder of the curves."""
        table = markdown([self.columns, *self.rows])
        notes = "".join(f"\n{note}\n" for note in self.notes)
        curves = "".join(f"\n![{self.title}]({pictures}{name}.svg)\n" for name in self.curves)
        return f"### {self.title}\n\n{table}\n{notes}{curves}"


def markdown(rows: list[list[str]]) -> str:
    """Returns a table whose first row is the head, with numbers aligned to the right."""
    head, *body = rows
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def milliseconds(nanoseconds: float) -> str:
    """Formats a time with at least three digits and its unit."""
    return f"{_digits(nanoseconds / 1e6)} ms"


def microseconds(nanoseconds: float) -> str:
    """Formats a time with at least three digits and its unit."""
    return f"{_digits(nanoseconds / 1e3)} µs"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
