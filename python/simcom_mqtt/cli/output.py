"""Output: colours and lines on a terminal, plain text everywhere else; the log on standard error."""

import contextlib
import json
import logging
import sys
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from simcom_mqtt import Message

from .text import printable, terminal_words

OUTPUT = Console(highlight=False)
ERRORS = Console(highlight=False, stderr=True)

LOG_LEVELS: Final = ("debug", "info", "warning", "error")
AT_LOGGER: Final = "simcom_mqtt.at"


def is_plain(console: Console | None = None) -> bool:
    """True if only text may be written: to a pipe, a file or a dumb terminal."""
    console = console or OUTPUT
    return not console.is_terminal or console.is_dumb_terminal


def standard_input() -> TextIO:
    """Return standard input; a usage error if the caller of the command closed it."""
    stream: TextIO | None = sys.stdin
    if stream is None:
        raise click.UsageError("standard input is closed")
    return stream


def ask_secret(prompt: str) -> str:
    """Ask for a secret on the terminal; without a terminal, take a line of standard input."""
    if standard_input().isatty():
        return str(click.prompt(prompt, hide_input=True, err=True))
    # Read from the buffer: the text layer above it reads ahead, and would take the lines that follow.
    return standard_input().buffer.readline().decode().rstrip("\r\n")


def echo(text: str = "", style: str = "") -> None:
    """Write a line to standard output."""
    if is_plain():
        click.echo(printable(text))
    else:
        OUTPUT.print(Text(printable(text), style), soft_wrap=True)


def echo_error(text: str) -> None:
    """Write a line to standard error, which takes everything but the result of a command."""
    with contextlib.suppress(OSError):  # its reader has closed it, or its disk is full: the result counts
        click.echo(printable(text), err=True)


def echo_json(value: object) -> None:
    """Write a JSON value as one line."""
    click.echo(json.dumps(value))


def echo_fields(fields: Sequence[tuple[str, object]]) -> None:
    """Write names and values, one pair a line."""
    width = max(len(name) for name, _ in fields)
    for name, value in fields:
        text = "–" if value is None else printable(str(value))
        if is_plain():
            click.echo(f"{name:<{width}}  {text}")
        else:
            OUTPUT.print(Text.assemble((f"{name:<{width}}  ", "bold cyan"), text), soft_wrap=True)


def echo_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
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
    """Return a message under the names of `mosquitto_sub -F %j`; bytes that are not UTF-8 as base64."""
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


class _LogHandler(logging.Handler):
    """Writes to the standard error of the moment, which tests replace."""

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        echo_error(text if record.name == AT_LOGGER else terminal_words(text))


def configure_log(level: str) -> None:
    """Write the log records of the driver and the simulated module from a level on to standard error."""
    logger = logging.getLogger("simcom_mqtt")
    logger.handlers = [handler := _LogHandler()]
    # AT lines need their time; a warning is for a person.
    handler.setFormatter(
        logging.Formatter("%(asctime)s.%(msecs)03d %(name)s: %(message)s", "%H:%M:%S")
        if level == "debug"
        else logging.Formatter("%(levelname)s: %(message)s")
    )
    logger.propagate = False
    logger.setLevel(level.upper())
