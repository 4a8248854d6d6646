"""Settings without effect in the simulator: AT commands that store values and show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from .command_line import BadParameterError, CommandLine

Value = int | str


@dataclass(frozen=True)
class NumberField:
    """A number in a range."""

    default: int
    lowest: int
    highest: int

    @property
    def ranges(self) -> str:
        """The range as the test form shows it."""
        return f"({self.lowest}-{self.highest})"

    def read(self, line: CommandLine, position: int) -> int:
        """Return the value from a command line."""
        return line.number(position, self.lowest, self.highest)


@dataclass(frozen=True)
class TextField:
    """One of several texts."""

    default: str
    texts: tuple[str, ...]

    @property
    def ranges(self) -> str:
        """The texts as the test form shows them."""
        return "(" + ",".join(f'"{text}"' for text in self.texts) + ")"

    def read(self, line: CommandLine, position: int) -> str:
        """Return the value from a command line."""
        text = line.string(position)
        if text not in self.texts:
            raise BadParameterError(f"{text!r} is none of {', '.join(self.texts)}")
        return text


Field = NumberField | TextField

_SWITCH: Final = NumberField(0, 0, 1)

SETTINGS: Final[Mapping[str, tuple[Field, ...]]] = MappingProxyType(
    {
        "CGNSSTST": (_SWITCH,),
        "CIPCCFG": (
            NumberField(10, 0, 10),
            NumberField(0, 0, 1000),
            _SWITCH,
            _SWITCH,
            _SWITCH,
            _SWITCH,
            NumberField(75_000, 500, 120_000),
        ),
        "CIPMODE": (_SWITCH,),
        "CIPRXGET": (_SWITCH,),
        "CMGF": (_SWITCH,),
        "CNMI": (
            NumberField(2, 0, 2),
            NumberField(1, 0, 3),
            NumberField(0, 0, 3),
            NumberField(0, 0, 2),
            NumberField(0, 0, 1),
        ),
        "CSCLK": (NumberField(0, 0, 2),),
        "CSCS": (TextField("IRA", ("IRA", "GSM", "UCS2")),),
        "CSOCKSETPN": (NumberField(1, 1, 16),),
        "ICF": (NumberField(3, 1, 6), NumberField(3, 0, 3)),
        "IFC": (NumberField(0, 0, 2), NumberField(0, 0, 2)),
    }
)


class SimpleSettings:
    """The values of the settings."""

    def __init__(self) -> None:
        self._values: dict[str, list[Value]] = {
            name: [field.default for field in fields] for name, fields in SETTINGS.items()
        }

    def text(self, name: str) -> str:
        """Return the values of a setting as its read form shows them."""
        return ",".join(
            str(value) if isinstance(value, int) else f'"{value}"' for value in self._values[name]
        )

    def change(self, line: CommandLine) -> None:
        """Store the values of a command line; values that are left out stay."""
        fields = SETTINGS[line.name]
        line.count(1, len(fields))
        given = {
            position: field.read(line, position)
            for position, field in enumerate(fields[: len(line.parameters)])
            if not line.parameters[position].is_empty
        }
        for position, value in given.items():
            self._values[line.name][position] = value
