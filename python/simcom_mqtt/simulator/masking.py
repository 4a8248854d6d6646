"""Hides what nobody should read in a log: passwords in command lines."""

import re
from typing import Final

_QUOTED: Final = re.compile(r'"([^"]*)"')


def masked(line: str) -> str:
    """Return a command line in printable characters, its strings masked but the first."""
    first = _QUOTED.search(line)
    start = len(line) if first is None else first.end()
    hidden = line[:start] + _QUOTED.sub(lambda match: f'"{"*" * len(match[1])}"', line[start:])
    return hidden.encode("ascii", "backslashreplace").decode("ascii")


def printable(data: bytes) -> str:
    """Return bytes that may hold a secret as their number, and what is no string of a line that is one."""
    if data.endswith((b"\r", b"\r\n")) and data[:2].upper() == b"AT":
        return masked(data.rstrip(b"\r\n").decode("utf-8", "backslashreplace"))
    return f"{len(data)} bytes"
