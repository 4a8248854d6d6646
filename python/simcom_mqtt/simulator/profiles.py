"""Firmware profiles: the differences between the answers of firmwares, as data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

_BAUD_RATES: Final = (600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115_200, 230_400, 460_800)
_SIBLING_BAUD_RATES: Final = (*_BAUD_RATES, 921_600, 3_000_000, 3_200_000, 3_686_400)

CARD_LINE: Final = "+CPIN: READY"
"""The boot line for the state of the SIM card."""
CONTEXT_LINE: Final = "+CGEV: EPS PDN ACT 1"
"""The boot line for the default context."""
SIM_LINES: Final = (
    '*ISIMAID: "A0000000871004"',
    '+MSTK: 11, "D08E810301250082028182"',
    "SMS DONE",
    "PB DONE",
)
"""The boot lines that need a SIM card that is ready."""
_BOOT_LINES: Final = (CARD_LINE, *SIM_LINES[:2], "SMS DONE", CONTEXT_LINE, "PB DONE")

LevelStyle = Literal["decibels", "tenths", "steps"]
"""The form of RSRQ, RSRP and RSSI in `+CPSI`: dB and dBm, their tenths, or the levels of 3GPP TS 36.133."""

_SIBLING_TIME_REPORTS: Final = ('*PSUTTZ: {time},"{zone}",0', "DST: 0")

AnswerPart = Literal["final", "result"]
"""`final` is `OK` or `ERROR`, `result` the line with the result code, such as `+CMQTTPUB: 0,0`."""

FINAL_ONLY: Final[tuple[AnswerPart, ...]] = ("final",)
FINAL_THEN_RESULT: Final[tuple[AnswerPart, ...]] = ("final", "result")
RESULT_THEN_FINAL: Final[tuple[AnswerPart, ...]] = ("result", "final")


@dataclass(frozen=True)
class AnswerOrder:
    """The order of final result code and result line in the answers of one command.

    When `success` begins with the final result code, `OK` comes at once and the result line later, unless
    the channel must be held until the outcome is known: for a result that comes first, or for a `failure` in
    another order than final result code, then result.
    """

    success: tuple[AnswerPart, ...] = FINAL_ONLY
    refusal: tuple[AnswerPart, ...] = RESULT_THEN_FINAL
    """Order when the command is refused at once: a state or parameter error."""
    failure: tuple[AnswerPart, ...] = FINAL_THEN_RESULT
    """Order when an operation fails that held the channel."""
    holds_channel: bool = False
    """Hold the channel in any case: a failure can then be `ERROR`, then the result."""

    @property
    def has_result(self) -> bool:
        """True if a successful command has a result line."""
        return "result" in self.success

    @property
    def is_held(self) -> bool:
        """True if the channel is held until the outcome is known."""
        return self.holds_channel or self.success[0] == "result" or self.failure != FINAL_THEN_RESULT


@dataclass(frozen=True)
class StateCodes:
    """The result codes of states for which firmwares differ; None is a bare `ERROR`."""

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
    """With ATE1 the module echoes the data after a prompt."""
    blank_line_before_header: bool = False
    """A blank line precedes each header of a message block."""
    topic_part_size: int = 512
    payload_part_size: int = 1500
    maximum_payload: int = 4096
    has_topic_lists: bool = False
    """`AT+CMQTTSUBTOPIC` and `AT+CMQTTUNSUBTOPIC` exist."""
    reports_failed_ping: bool = False
    """`+CMQTTPING` reports a keep-alive that the broker did not answer."""
    baud_rates: tuple[int, ...] = _BAUD_RATES
    boot_lines: tuple[str, ...] = ()
    compact_answers: frozenset[str] = frozenset()
    """The commands without a blank line between information lines and `OK`, such as `CMQTTDISC?`."""
    shortest_timeout: int = 60
    """The shortest timeout of PUB and DISC, in seconds."""
    has_topic_arguments: bool = False
    """`AT+CMQTTCFG="argtopic"` exists."""
    has_version_in_acquire: bool = False
    """The MQTT version is the fourth parameter of ACCQ, and not a setting of CFG."""
    has_long_identification: bool = True
    """AT+SIMCOMATI shows QCN, MEID and device information."""
    shows_position_in_degrees: bool = True
    """AT+CGNSSINFO shows degrees; False: degrees and minutes."""
    largest_file: int = 10_240
    """AT+CCERTDOWN fails to store a larger file, in bytes."""
    connects_with_tls: bool = True
    """False: each CONNECT with TLS fails with 3."""
    time_reports: tuple[str, ...] = ("+CTZV: {time},{zone}",)
    """The URCs that report the time of the network, after AT+CTZR=1."""
    level_style: LevelStyle = "decibels"
    cell: str = ""
    """The parameters of `+CPSI` in service."""

    def order(self, command: str) -> AnswerOrder:
        """Return the order of a command's answer."""
        return self.orders.get(command, _PLAIN)


_PLAIN: Final = AnswerOrder()
_SETTING: Final = AnswerOrder(refusal=FINAL_ONLY)
_OPERATION: Final = AnswerOrder(success=FINAL_THEN_RESULT)
_RESULT_FIRST: Final = AnswerOrder(success=RESULT_THEN_FINAL, failure=RESULT_THEN_FINAL)

_SIM767X_ORDERS: Final[Mapping[str, AnswerOrder]] = MappingProxyType(
    {
        "CMQTTSTART": AnswerOrder(success=FINAL_THEN_RESULT, refusal=FINAL_ONLY),
        "CMQTTSTOP": _OPERATION,
        "CMQTTSSLCFG": _SETTING,
        "CMQTTCFG": _SETTING,
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
    boot_lines=("QCRDY", *_BOOT_LINES),
    compact_answers=frozenset({"CMQTTDISC?"}),
    has_long_identification=False,
    cell="LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,-13,-103,-90,5",
)

A76XX: Final = Profile(
    name="a76xx",
    manufacturer="SIMCOM INCORPORATED",
    model="A7670E-FASE",
    revision="A7670M7_V1.11.1",
    second_revision="A131B04A7670M7",
    orders=MappingProxyType(
        {
            **_SIM767X_ORDERS,
            "CMQTTCONNECT": AnswerOrder(success=FINAL_THEN_RESULT, failure=RESULT_THEN_FINAL),
        }
    ),
    codes=StateCodes(acquired_again=None),
    topic_part_size=1500,
    maximum_payload=10_240,
    has_topic_lists=True,
    baud_rates=_SIBLING_BAUD_RATES,
    boot_lines=("*ATREADY: 1", *_BOOT_LINES),
    shortest_timeout=1,
    level_style="steps",
    time_reports=_SIBLING_TIME_REPORTS,
    has_topic_arguments=True,
    cell="LTE,Online,460-00,0x333C,39589680,308,EUTRAN-BAND3,1350,5,0,0,54,0,22",
)

SIM7600: Final = Profile(
    name="sim7600",
    manufacturer="SIMCOM INCORPORATED",
    model="SIMCOM_SIM7600E-H",
    revision="LE20B04SIM7600M22",
    second_revision="SIM7600M22_V2.0.2",
    orders=MappingProxyType(
        {
            **_SIM767X_ORDERS,
            "CMQTTSTART": _RESULT_FIRST,
            "CMQTTSTOP": _RESULT_FIRST,
            "CMQTTDISC": _RESULT_FIRST,
        }
    ),
    codes=StateCodes(started_again=23, stop_while_acquired=21, connect_while_connected=13),
    prompt=b"\r\n> ",
    blank_line_before_header=True,
    topic_part_size=256,
    maximum_payload=10_240,
    has_topic_lists=True,
    reports_failed_ping=True,
    baud_rates=_SIBLING_BAUD_RATES,
    boot_lines=("RDY", *_BOOT_LINES),
    has_version_in_acquire=True,
    level_style="tenths",
    time_reports=_SIBLING_TIME_REPORTS,
    shows_position_in_degrees=False,
    cell="LTE,Online,460-11,0x5A1E,187214780,257,EUTRAN-BAND3,1825,5,5,-94,-850,-545,15",
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {profile.name: profile for profile in (SIM767X, A76XX, SIM7600)}
)


def find_profile(profile: str | Profile) -> Profile:
    """Return the profile with this name; a `Profile` is returned unchanged."""
    if isinstance(profile, Profile):
        return profile
    try:
        return PROFILES[profile]
    except KeyError:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}, not {profile!r}") from None
