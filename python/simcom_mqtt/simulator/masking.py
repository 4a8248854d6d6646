"""Masks passwords in command lines for the log."""

import re
from typing import Final

_QUOTED: Final = re.compile(r'"([^"]*)"')
_WITH_SECRET: Final = re.compile(
    r"(?is)(.*?\+(?:CMQTTCONNECT|CPIN|CGAUTH|CLCK|CPWD)\s*=(?:\s*\d,)?)(.+)",
)
"""Commands that carry a secret, anywhere in the line: a lost CR can join two commands."""


def masked(line: str) -> str:
    """Return a command line in printable characters, with all quoted strings masked but the first.

    All parameters of a command that can carry a secret are masked.
    """
    if secret := _WITH_SECRET.fullmatch(line):
        return _printable(secret[1] + "*" * len(secret[2]))
    first = _QUOTED.search(line)
    start = len(line) if first is None else first.end()
    return _printable(line[:start] + _QUOTED.sub(lambda match: f'"{"*" * len(match[1])}"', line[start:]))


def printable(data: bytes) -> str:
    """Return the masked command line, or the number of bytes if `data` is none."""
    if data.endswith((b"\r", b"\r\n")) and data[:2].upper() == b"AT":
        return masked(data.rstrip(b"\r\n").decode("utf-8", "backslashreplace"))
    return f"{len(data)} bytes"


def _printable(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")
