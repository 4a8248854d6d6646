"""The radio network around the module: coverage, signal, cell, operator and registration."""

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

GSM_MODES: Final = (2, 13)
WCDMA_MODES: Final = (2, 14)
LTE_MODES: Final = (2, 38)
NO_SERVICE: Final = "NO SERVICE,Online"
_OPERATOR: Final = re.compile(r"[^,]*,[^,]*,(\d{3})-(\d{2,3}),")
_AREA_AND_CELL: Final = re.compile(r"(?:[^,]*,){3}0[xX]([0-9a-fA-F]{1,8}),(\d+),")
_TEST_NETWORK: Final = "00101"
_NAMES: Final = {"46011": "CHN-CT", "46000": "CHINA MOBILE", "46001": "CHN-UNICOM"}


class Registration(IntEnum):
    """The registration status that AT+CREG shows."""

    HOME = 1
    SEARCHING = 2
    DENIED = 3
    UNKNOWN = 4


@dataclass(frozen=True)
class Technology:
    """A radio access technology."""

    name: str
    access: int
    """The `<act>` of AT+COPS and AT+CREG."""
    system_mode: int
    """The value of AT+CNSMOD."""
    modes: tuple[int, ...]
    """The values of AT+CNMP that allow the technology."""
    cell: str
    """The parameters of `+CPSI`; empty: those of the profile."""


LTE: Final = Technology("LTE", 7, 8, LTE_MODES, "")
WCDMA: Final = Technology(
    "WCDMA",
    2,
    4,
    WCDMA_MODES,
    "WCDMA,Online,460-01,0xA809,11122855,WCDMA IMT 2000,279,10663,0,1.5,62,33,52,500",
)
GSM: Final = Technology("GSM", 0, 1, GSM_MODES, "GSM,Online,460-00,0x182D,12401,27 EGSM 900,-64,2110,42-42")


@dataclass(frozen=True)
class OperatorSelection:
    """A manual selection of an operator, and its outcome."""

    operator: str
    outcome: Registration


@dataclass
class RadioNetwork:
    """The state of the network, without SIM card and packet data."""

    has_coverage: bool = True
    radio_is_on: bool = True
    signal: tuple[int, int] = (23, 0)
    """RSSI and bit error rate in the units of AT+CSQ."""
    extended_signal: tuple[int, int] = (13, 37)
    """RSRQ and RSRP in the units of AT+CESQ."""
    cell: str | None = None
    """The parameters of `+CPSI`; None: those of profile and technology."""
    mode: int = 2
    """The value of AT+CNMP."""
    selection: OperatorSelection | None = None
    """None: the module selects the operator."""
    operator_format: int = 0
    """The format of AT+COPS?: 0 and 1 name, 2 number."""
    reports: dict[str, int] = field(default_factory=dict)
    """The `<n>` of AT+CREG, AT+CGREG and AT+CEREG."""

    @property
    def technology(self) -> Technology | None:
        """The best technology that AT+CNMP allows."""
        return next((known for known in (LTE, WCDMA, GSM) if self.mode in known.modes), None)

    @property
    def is_heard(self) -> bool:
        """True if the module receives a signal."""
        return self.has_coverage and self.radio_is_on

    def registration(self, *, sim_is_ready: bool) -> Registration:
        """Return the registration status."""
        if not self.is_heard or not sim_is_ready or self.technology is None:
            return Registration.SEARCHING
        return Registration.HOME if self.selection is None else self.selection.outcome


def operator_number(cell: str) -> str:
    """Return MCC and MNC from the parameters of `+CPSI`, as in `46011`, or those of the test network."""
    found = _OPERATOR.match(cell)
    return found[1] + found[2] if found else _TEST_NETWORK


def operator_name(number: str) -> str:
    """Return the name of an operator, or its number if the name is unknown."""
    return _NAMES.get(number, number)


def area_and_cell(cell: str) -> tuple[str, str]:
    """Return area code and cell id from the parameters of `+CPSI`, in hexadecimal digits, or zeros."""
    found = _AREA_AND_CELL.match(cell)
    return (f"{int(found[1], 16):04X}", f"{int(found[2]):08X}") if found else ("0000", "00000000")
