"""The directives `result-codes` and `loss-causes`: tables made from `simcom_mqtt.codes`."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from simcom_mqtt.codes import LossCause, ResultCode


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("result-codes", ResultCodes)
    app.add_directive("loss-causes", LossCauses)
    return {"parallel_read_safe": True}


class ResultCodes(SphinxDirective):
    """Every result code: number, name, and meaning in the note's words."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return [table(ResultCode)]


class LossCauses(SphinxDirective):
    """Every cause of a lost connection."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return [table(LossCause)]


def table(codes: type[ResultCode] | type[LossCause]) -> nodes.table:
    """Return a table with a row for each member."""
    head = row(*(nodes.paragraph(text=text) for text in ("code", "name", "the note's words")))
    rows = [row(*cells(code)) for code in codes]
    columns = [nodes.colspec(colwidth=width) for width in (1, 5, 6)]
    group = nodes.tgroup("", *columns, nodes.thead("", head), nodes.tbody("", *rows), cols=len(columns))
    return nodes.table("", group)


def cells(code: ResultCode | LossCause) -> list[nodes.Element]:
    """Return the cells of one code: number, name and meaning."""
    name = f"{type(code).__name__}.{code.name}"
    return [
        nodes.paragraph(text=str(code.value)),
        nodes.paragraph("", "", nodes.literal(text=name)),
        nodes.paragraph(text=code.meaning),
    ]


def row(*contents: nodes.Element) -> nodes.row:
    """Return a row of a table."""
    return nodes.row("", *(nodes.entry("", content) for content in contents))
