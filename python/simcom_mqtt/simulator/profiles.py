"""Firmware profiles: how one firmware's answers differ from another's, as data.

Where the application note leaves a choice or real modules differ, a profile says what this firmware does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

AnswerPart = Literal["final", "result"]
"""`final` is `OK` or `ERROR`, `result` the line with the result code, such as `+CMQTTPUB: 0,0`."""

FINAL_ONLY: Final[tuple[AnswerPart, ...]] = ("final",)
FINAL_THEN_RESULT: Final[tuple[AnswerPart, ...]] = ("final", "result")
RESULT_THEN_FINAL: Final[tuple[AnswerPart, ...]] = ("result", "final")


@dataclass(frozen=True)
class AnswerOrder:
    """In which order one command's final result code and result line come.

    When `success` begins with the final result code, `OK` comes at once and the outcome later; else the
    channel is held until the outcome is known.
    """

    success: tuple[AnswerPart, ...] = FINAL_ONLY
    refusal: tuple[AnswerPart, ...] = RESULT_THEN_FINAL
    """The command is refused at once with `ERROR`: a state or parameter error."""
    failure: tuple[AnswerPart, ...] = FINAL_THEN_RESULT
    """The outcome of an operation that the channel was held for is bad: with `ERROR`."""

    @property
    def is_held(self) -> bool:
        """Whether the channel waits for the outcome."""
        return self.success[0] == "result"


@dataclass(frozen=True)
class StateCodes:
    """The result codes of the states in which firmwares disagree; None is a bare `ERROR`."""

    started_again: int | None = None
    stop_while_acquired: int = 19
    acquired_again: int | None = 19
    connect_while_connected: int = 19


@dataclass(frozen=True)
class Profile:
    """One firmware."""

    name: str
    manufacturer: str
    model: str
    revision: str
    second_revision: str
    orders: Mapping[str, AnswerOrder]
    codes: StateCodes = field(default_factory=StateCodes)
    prompt: bytes = b"\r\n>"
    echoes_data: bool = False
    """Whether the data that answers a prompt is echoed while ATE1 holds."""
    blank_line_before_header: bool = False
    """Whether the parts of a message block are set apart by a blank line."""
    topic_part_size: int = 512
    payload_part_size: int = 1500
    maximum_payload: int = 4096
    has_topic_lists: bool = False
    """Whether `AT+CMQTTSUBTOPIC` and `AT+CMQTTUNSUBTOPIC` exist."""
    baud_rates: tuple[int, ...] = (600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800)
    boot_lines: tuple[str, ...] = ()
    cell_line: str = ""
    """What `AT+CPSI?` prints in service."""

    def order(self, command: str) -> AnswerOrder:
        """Return the order of one command's answer."""
        return self.orders.get(command, _PLAIN)


_PLAIN: Final = AnswerOrder()
_OPERATION: Final = AnswerOrder(success=FINAL_THEN_RESULT)

_SIM767X_ORDERS: Final[Mapping[str, AnswerOrder]] = MappingProxyType(
    {
        "CMQTTSTART": AnswerOrder(success=FINAL_THEN_RESULT, refusal=FINAL_ONLY),
        "CMQTTSTOP": _OPERATION,
        "CMQTTCONNECT": _OPERATION,
        "CMQTTDISC": _OPERATION,
        "CMQTTPUB": _OPERATION,
        "CMQTTSUB": _OPERATION,
        "CMQTTUNSUB": _OPERATION,
    }
)

SIM767X: Final = Profile(
    name="sim767x",
    manufacturer="SIMCOM INCORPORATED",
    model="SIM7670G-MNGV",
    revision="2374B05SIM767XM5A_M",
    second_revision="SIM767XM5_B05V01_241115",
    orders=_SIM767X_ORDERS,
    echoes_data=True,
    boot_lines=("QCRDY", "+CPIN: READY", "SMS DONE", "PB DONE"),
    cell_line="+CPSI: LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,-13,-103,-90,5",
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType({profile.name: profile for profile in (SIM767X,)})
