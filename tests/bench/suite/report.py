"""Tables of Markdown."""

from dataclasses import dataclass, field


@dataclass
class Table:
    """What was measured of one thing, a contender a row."""

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    # A name and an SVG picture each.
    curves: list[tuple[str, str]] = field(default_factory=list)

    def add(self, *cells: str) -> None:
        """A row."""
        assert len(cells) == len(self.columns)
        self.rows.append(list(cells))

    def to_markdown(self) -> str:
        """With its title as a heading, and its notes below."""
        lines = [self.columns, ["---", *("---:" for _ in self.columns[1:])], *self.rows]
        table = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
        notes = "".join(f"\n{note}\n" for note in self.notes)
        pictures = "".join(f"\n![{self.title}]({name}.svg)\n" for name, _ in self.curves)
        return f"### {self.title}\n\n{table}\n{notes}{pictures}"


def milliseconds(nanoseconds: float) -> str:
    """Three digits, with the unit."""
    return f"{nanoseconds / 1e6:.3g} ms"


def microseconds(nanoseconds: float) -> str:
    """Three digits, with the unit."""
    return f"{nanoseconds / 1e3:.3g} µs"
