"""Hides what nobody should read in a log: passwords in command lines."""

import re
from typing import Final

_QUOTED: Final = re.compile(r'"([^"]*)"')
_SECRETIVE: Final = re.compile(
    r"(?is)(.*?\+(?:CMQTTCONNECT|CPIN|CGAUTH|CLCK|CPWD)\s*=(?:\s*\d,)?)(.+)",
)
"""Commands that carry a secret; where in a line that is none of theirs nobody knows."""


def masked(line: str) -> str:
    """Return a command line in printable characters, its strings masked but the first.

    Of a command that may carry a secret, all that it was given is masked.
    """
    if secretive := _SECRETIVE.fullmatch(line):
        return _printable(secretive[1] + "*" * len(secretive[2]))
    first = _QUOTED.search(line)
    start = len(line) if first is None else first.end()
    return _printable(line[:start] + _QUOTED.sub(lambda match: f'"{"*" * len(match[1])}"', line[start:]))


def printable(data: bytes) -> str:
    """Return bytes that may hold a secret as their number, and what is no string of a line that is one."""
    if data.endswith((b"\r", b"\r\n")) and data[:2].upper() == b"AT":
        return masked(data.rstrip(b"\r\n").decode("utf-8", "backslashreplace"))
    return f"{len(data)} bytes"


def _printable(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode("ascii")
