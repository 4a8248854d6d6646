"""The module's certificate store: AT+CCERTDOWN, AT+CCERTLIST, AT+CCERTDELE."""

from typing import Final

from .command_line import BadParameterError

LARGEST_FILE: Final = 10_240
_SHORTEST_NAME: Final = 5
_LONGEST_NAME: Final = 55


def file_name(raw: bytes) -> str:
    """Return a valid file name: 5 to 55 characters, ending in .pem or .der."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise BadParameterError("the file name is not UTF-8") from None
    if not _SHORTEST_NAME <= len(raw) <= _LONGEST_NAME or not name.lower().endswith((".pem", ".der")):
        raise BadParameterError(f"a file name has 5 to 55 characters and ends in .pem or .der: {name!r}")
    return name
