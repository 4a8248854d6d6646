"""Messages and values as HTML tables, for notebooks.

Text from the network or the module is not trusted: it is escaped and shortened, and control characters are
written as escapes.
"""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from simcom_mqtt._native import Message

__all__ = ["message", "messages", "table"]

MOST_CHARACTERS = 200
MOST_BYTES = 32
MOST_MESSAGES = 20

_UNITS = {"_dbm": "dBm", "_db": "dB"}
_SECONDS = ("keepalive", "operation_timeout")


def table(value: DataclassInstance) -> str:
    """Return a table of a value of `simcom_mqtt.values`, one field a row, without the raw lines."""
    names = [field.name for field in fields(value) if field.name != "raw"]
    rows = [(_label(name), _shown(name, getattr(value, name))) for name in names]
    return _two_columns(type(value).__name__, rows)


def message(received: Message) -> str:
    """Return a table of a message, one field a row."""
    rows = [
        ("topic", _text(received.topic)),
        ("payload", _payload(received.payload)),
        ("length", f"{len(received.payload)} bytes"),
        ("client", str(received.client_index)),
        ("received", _time(received.received_at)),
    ]
    return _two_columns("Message", rows)


def messages(filter_shown: str, received: Sequence[Message]) -> str:
    """Return a table of the messages of a capture, one a row: the last ones, if there are many."""
    last = received[-MOST_MESSAGES:]
    left_out = "" if len(last) == len(received) else f", the last {len(last)} of them"
    caption = f"{len(received)} messages on {_text(filter_shown)}{left_out}"
    head = _row("th", ("received", "client", "topic", "length", "payload"))
    body = "".join(
        _row(
            "td",
            (
                _time(each.received_at),
                str(each.client_index),
                _text(each.topic),
                str(len(each.payload)),
                _payload(each.payload),
            ),
        )
        for each in last
    )
    return f"<table><caption>{caption}</caption><thead>{head}</thead><tbody>{body}</tbody></table>"


def _two_columns(caption: str, rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(f"<tr><th>{label}</th><td>{shown}</td></tr>" for label, shown in rows)
    return f"<table><caption>{escape(caption)}</caption><tbody>{body}</tbody></table>"


def _row(cell: str, contents: Iterable[str]) -> str:
    return "<tr>" + "".join(f"<{cell}>{content}</{cell}>" for content in contents) + "</tr>"


def _label(name: str) -> str:
    for ending in _UNITS:
        name = name.removesuffix(ending)
    return escape(name.replace("_", " "))


def _shown(name: str, value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "")
    if name in _SECONDS:
        unit = "s"
    return f"{_text(str(value))} {unit}".rstrip()


def _payload(payload: bytes) -> str:
    text = _decoded(payload)
    if text is not None:
        return _text(text)
    dots = " …" if len(payload) > MOST_BYTES else ""
    return f"<code>{payload[:MOST_BYTES].hex(' ')}{dots}</code>"


def _decoded(payload: bytes) -> str | None:
    """Return a payload as text; None: it is not printable UTF-8."""
    start = payload[: 4 * MOST_CHARACTERS + 4]
    try:
        # The cut may be within a character.
        text = getincrementaldecoder("utf-8")().decode(start, final=len(start) == len(payload))
    except UnicodeDecodeError:
        return None
    return text if all(character.isprintable() or character in "\t\r\n" for character in text) else None


def _text(text: str) -> str:
    """Return text escaped, on one line; characters that do not print, or reverse the writing, as escapes."""
    dots = "…" if len(text) > MOST_CHARACTERS else ""
    plain = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text[:MOST_CHARACTERS]
    )
    return escape(plain) + dots


def _time(received_at: float) -> str:
    if not received_at:
        return "–"
    return datetime.fromtimestamp(received_at).astimezone().isoformat(" ", "milliseconds")
