r"""Transcripts as the driver writes them: one element a line, readable, secrets masked.

    # a comment
    0.000512 > line AT+CMQTTTOPIC=0,3\r
    0.001204 < prompt \r\n>
    0.001377 > data a/b
    0.003010 < line \r\nOK\r\n

Each line holds the seconds since the start, the direction (`>` from the host, `<` from the module), the kind
(`line`, `prompt`, `data`, `raw`) and every byte of the element: printable ASCII as it is, `\\`, `\r`, `\n`,
`\xNN`, and `\*` for a byte that is masked.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final

KINDS: Final = ("line", "prompt", "data", "raw")
MASK: Final = ord("*")

_ELEMENT: Final = re.compile(rf"(\d+(?:\.\d+)?) ([<>]) ({'|'.join(KINDS)}) (.*)")
_BYTE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|([rn\\*]))|([ -\[\]-~])")
_ESCAPED: Final = {"r": 0x0D, "n": 0x0A, "\\": 0x5C, "*": MASK}


@dataclass(frozen=True)
class Element:
    """One element of a transcript."""

    time: float
    from_host: bool
    kind: str
    data: bytes
    """Masked bytes are `*`."""
    masked: frozenset[int]
    """The positions of masked bytes in `data`."""

    def matches(self, data: bytes) -> bool:
        """Return whether `data` equals the element; masked bytes match any byte.

        In a line the number of masked bytes may differ: another password has another length.
        """
        if self.kind != "line" and len(data) != len(self.data):
            return False
        shown = bytes(MASK if position in self.masked else 0 for position in range(len(self.data)))
        spans = ((found[0][0] == MASK, found.span()) for found in re.finditer(rb"\*+|\0+", shown))
        parts = (b".*" if masked else re.escape(self.data[start:end]) for masked, (start, end) in spans)
        return re.fullmatch(b"".join(parts), data, re.DOTALL) is not None


def read_transcript(path: str | PathLike[str]) -> list[Element]:
    """Return the elements of a transcript file.

    :raises ValueError: a line is not in the format; the message names it.
    """
    text = Path(path).read_text(encoding="ascii", errors="strict")
    return list(parse_transcript(text, str(path)))


def parse_transcript(text: str, name: str = "transcript") -> Iterator[Element]:
    """Yield the elements of a transcript.

    :raises ValueError: a line is not in the format; the message names it.
    """
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line.startswith("#"):
            continue
        match = _ELEMENT.fullmatch(line)
        if match is None:
            raise ValueError(f"{name}, line {number}: not `<seconds> <direction> <kind> <bytes>`: {line!r}")
        seconds, direction, kind, written = match.groups()
        try:
            data, masked = _parse_bytes(written)
        except ValueError as error:
            raise ValueError(f"{name}, line {number}: {error}") from None
        yield Element(float(seconds), direction == ">", kind, data, masked)


def _parse_bytes(written: str) -> tuple[bytes, frozenset[int]]:
    data = bytearray()
    masked: set[int] = set()
    position = 0
    while position < len(written):
        match = _BYTE.match(written, position)
        if match is None:
            raise ValueError(f"invalid byte {written[position : position + 4]!r}")
        position = match.end()
        hexadecimal, escaped, plain = match.groups()
        if hexadecimal is not None:
            data.append(int(hexadecimal, 16))
        elif escaped is not None:
            if escaped == "*":
                masked.add(len(data))
            data.append(_ESCAPED[escaped])
        else:
            data.append(ord(plain))
    return bytes(data), frozenset(masked)
