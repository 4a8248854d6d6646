"""Keeps passwords off the screen where the module itself tells them."""

import re
from typing import Final

_CONNECTION: Final = re.compile(r'(\+CMQTTCONNECT: \d,"[^"]*",\d+,\d,"[^"]*",")(.*)(")')


def without_password(line: str) -> str:
    """Return an information line with the password of `AT+CMQTTCONNECT?` masked."""
    return _CONNECTION.sub(lambda match: match[1] + "*" * len(match[2]) + match[3], line)
