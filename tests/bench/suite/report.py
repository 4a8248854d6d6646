"""Tables of Markdown, and what of them was to be reached."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Bar:
    """What was to be reached, and what was."""

    measure: str
    bar: str
    reached: str
    met: bool


@dataclass
class Table:
    """What was measured of one thing, a contender a row."""

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # SVG pictures by name.
    curves: dict[str, str] = field(default_factory=dict)
    bars: list[Bar] = field(default_factory=list)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """As `to_json` gave it."""
        return cls(**{**stored, "bars": [Bar(**bar) for bar in stored["bars"]]})

    def add(self, *cells: str) -> None:
        """A row."""
        assert len(cells) == len(self.columns)
        self.rows.append(list(cells))

    def reach(self, measure: str, bar: str, reached: str, *, met: bool) -> None:
        """What the table says about something that was to be reached."""
        self.bars.append(Bar(measure, bar, reached, bool(met)))

    def to_json(self) -> dict[str, Any]:
        """All of it, in what JSON has."""
        return asdict(self)

    def to_markdown(self, pictures: str = "") -> str:
        """With its title as a heading, its notes below, and its curves from the folder `pictures`."""
        table = markdown([self.columns, *self.rows])
        notes = "".join(f"\n{note}\n" for note in self.notes)
        curves = "".join(f"\n![{self.title}]({pictures}{name}.svg)\n" for name in self.curves)
        return f"### {self.title}\n\n{table}\n{notes}{curves}"


def markdown(rows: list[list[str]]) -> str:
    """A table whose first row is its head, numbers to the right."""
    head, *body = rows
    lines = [head, ["---", *("---:" for _ in head[1:])], *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def milliseconds(nanoseconds: float) -> str:
    """Three digits or more, with the unit."""
    return f"{_digits(nanoseconds / 1e6)} ms"


def microseconds(nanoseconds: float) -> str:
    """Three digits or more, with the unit."""
    return f"{_digits(nanoseconds / 1e3)} µs"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
