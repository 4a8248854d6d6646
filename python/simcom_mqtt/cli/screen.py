"""What is shown: colours and lines on a terminal, plain text everywhere else."""

import json
import sys
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any, TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simcom_mqtt import Message

OUTPUT = Console(highlight=False)
ERRORS = Console(highlight=False, stderr=True)


def is_plain(console: Console | None = None) -> bool:
    """Whether only text may be written: a pipe, a file, a dumb terminal."""
    console = console or OUTPUT
    return not console.is_terminal or console.is_dumb_terminal


def printable(text: str) -> str:
    r"""Return text with what could steer a terminal, or cannot be encoded, as `\x1b` and the like."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else _escaped(character)
        for character in text
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def standard_input() -> TextIO:
    """Standard input, which whoever started the command may have closed."""
    stream: TextIO | None = sys.stdin
    if stream is None:
        raise click.UsageError("standard input is closed")
    return stream


def say(text: str = "", style: str = "") -> None:
    """Write a line on standard output."""
    if is_plain():
        click.echo(printable(text))
    else:
        OUTPUT.print(Text(printable(text), style), soft_wrap=True)


def remark(text: str) -> None:
    """Write a line on standard error: what happens, beside what was asked for."""
    click.echo(printable(text), err=True)


def say_json(value: object) -> None:
    """Write a JSON value on a line of its own."""
    click.echo(json.dumps(value))


def say_fields(fields: Sequence[tuple[str, object]]) -> None:
    """Write names and values, a line each."""
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        text = "–" if value is None else printable(str(value))
        if is_plain():
            click.echo(f"{name:<{width}}  {text}")
        else:
            OUTPUT.print(Text.assemble((f"{name:<{width}}  ", "bold cyan"), text), soft_wrap=True)


def say_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table: with lines on a terminal, else in columns of text."""
    rows = [[printable(cell) for cell in row] for row in rows]
    if not is_plain():
        table = Table(header_style="bold cyan", border_style="dim")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        OUTPUT.print(table)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in [list(columns), *rows]:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def message_as_json(message: Message) -> dict[str, Any]:
    """Return a message under the names that `mosquitto_sub -F %j` uses; bytes that are no UTF-8 as base64."""
    return {
        "tst": datetime.fromtimestamp(message.received_at).astimezone().isoformat(timespec="milliseconds"),
        **_text_or_base64("topic", message.topic_bytes),
        "payloadlen": len(message.payload),
        **_text_or_base64("payload", message.payload),
    }


def _text_or_base64(name: str, data: bytes) -> dict[str, str]:
    try:
        return {name: data.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{name}_base64": b64encode(data).decode("ascii")}
