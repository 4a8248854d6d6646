"""Parser of AT command lines: name, form and parameters."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final


class Form(Enum):
    """The four forms of an extended AT command."""

    EXECUTE = ""
    READ = "?"
    TEST = "=?"
    WRITE = "="


class BadParameterError(Exception):
    """A parameter is missing, malformed or out of its range."""


@dataclass(frozen=True)
class CommandLine:
    """A parsed `AT+NAME=<parameters>`, or basic commands such as `ATE0V1`, which have only a name."""

    name: str
    form: Form
    parameters: tuple["Parameter", ...] = ()
    is_basic: bool = False

    def count(self, least: int, most: int) -> None:
        """Check the number of parameters.

        :raises BadParameterError: it is wrong.
        """
        if not least <= len(self.parameters) <= most:
            raise BadParameterError(f"{len(self.parameters)} parameters")

    def number(self, position: int, lowest: int, highest: int, default: int | None = None) -> int:
        """Return a numeric parameter within its range; an absent or empty one is the default."""
        if position >= len(self.parameters) or self.parameters[position].is_empty:
            if default is None:
                raise BadParameterError(f"parameter {position} is missing")
            return default
        return self.parameters[position].number(lowest, highest)

    def text(self, position: int) -> bytes:
        """Return a quoted parameter."""
        if position >= len(self.parameters) or not self.parameters[position].quoted:
            raise BadParameterError(f"parameter {position} is not a quoted string")
        return self.parameters[position].raw

    def string(self, position: int, default: str | None = None) -> str:
        """Return a parameter as text, with or without quotes; the default if the parameter is left out."""
        if position >= len(self.parameters) or self.parameters[position].is_empty:
            if default is None:
                raise BadParameterError(f"parameter {position} is missing")
            return default
        return self.parameters[position].raw.decode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class Parameter:
    """One parameter, without its quotes."""

    raw: bytes
    quoted: bool

    @property
    def is_empty(self) -> bool:
        """True if the parameter was left out."""
        return not self.quoted and not self.raw

    def number(self, lowest: int, highest: int) -> int:
        """Return the number, decimal or `0x…`, if it is in a range."""
        if self.quoted or not _NUMBER.fullmatch(self.raw):
            raise BadParameterError("not a number")
        value = int(self.raw, 16) if self.raw[:2].lower() == b"0x" else int(self.raw)
        if not lowest <= value <= highest:
            raise BadParameterError(f"{value} is not in {lowest}-{highest}")
        return value


_NUMBER: Final = re.compile(rb"-?\d{1,10}|0[xX][0-9a-fA-F]{1,8}")
_EXTENDED: Final = re.compile(rb"([+*$][A-Za-z0-9]+)(?:(\?)|(=\?)|=(.*))?", re.DOTALL)
_BASIC: Final = re.compile(rb"(?:[&\\]?[A-Za-z][0-9]*)*")
_PARAMETER: Final = re.compile(rb'\s*(?:"([^"]*)"\s*|([^",]*))(,|$)', re.DOTALL)


def parse_command_line(line: bytes) -> CommandLine | None:
    """Parse a line without its CR; None: the line is no AT command."""
    line = line.strip()
    if line[:2].upper() != b"AT":
        return None
    body = line[2:].strip()
    extended = _EXTENDED.fullmatch(body)
    if extended is None:
        if not _BASIC.fullmatch(body):
            return None
        return CommandLine(body.decode("ascii").upper(), Form.EXECUTE, is_basic=True)
    name_raw, read, test, written = extended.groups()
    name = name_raw.decode("ascii").upper().removeprefix("+")
    if test:
        return CommandLine(name, Form.TEST)
    if read:
        return CommandLine(name, Form.READ)
    if written is None:
        return CommandLine(name, Form.EXECUTE)
    parameters = _parse_parameters(written)
    return None if parameters is None else CommandLine(name, Form.WRITE, parameters)


def _parse_parameters(written: bytes) -> tuple[Parameter, ...] | None:
    parameters: list[Parameter] = []
    position = 0
    while True:
        match = _PARAMETER.match(written, position)
        if match is None:
            return None
        quoted, bare, separator = match.groups()
        if quoted is not None:
            parameters.append(Parameter(quoted, quoted=True))
        else:
            parameters.append(Parameter(bare.strip(), quoted=False))
        if not separator:
            return tuple(parameters)
        position = match.end()
