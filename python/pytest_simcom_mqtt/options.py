"""The command line options, and the environment variable for the ports."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Final, Literal, NamedTuple, Self, cast

import pytest

SIMULATOR: Final = "simulator"
ENVIRONMENT_VARIABLE: Final = "SIMCOM_PORT"

BrokerChoice = Literal["auto", "mosquitto", "amqtt"] | tuple[str, int] | None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, each with the prefix of this plugin."""
    group = parser.getgroup("simcom", "SIMCom modules (simcom-mqtt)")
    group.addoption(
        "--simcom-port",
        action="append",
        default=[],
        metavar="PORT",
        help="AT port of a module, as /dev/ttyUSB2 or socket://host:port, or the word simulator; once for "
        f"each worker of pytest-xdist. Without it: ${ENVIRONMENT_VARIABLE}, ports separated by commas",
    )
    group.addoption(
        "--simcom-baudrate",
        type=_baud_rate,
        default=115_200,
        metavar="BPS",
        help="bits per second of the ports (default: 115200)",
    )
    group.addoption(
        "--simcom-broker",
        type=_broker,
        default=None,
        metavar="BROKER",
        help="auto, mosquitto or amqtt: start a broker on this machine; HOST:PORT: a running broker. "
        "Default: auto with simulated modules; a real module needs HOST:PORT",
    )
    group.addoption(
        "--simcom-log-dir",
        type=Path,
        default=None,
        metavar="DIR",
        help="keep the AT transcripts of all runs here (default: those of the last run, in pytest's cache)",
    )


class Options(NamedTuple):
    """The values of the command line and the environment."""

    ports: tuple[str, ...]
    baudrate: int
    broker: BrokerChoice
    log_dir: Path | None

    @classmethod
    def of(cls, config: pytest.Config) -> Self:
        """Return the options of this run."""
        given = config.getoption("--simcom-port") or os.environ.get(ENVIRONMENT_VARIABLE, "").split(",")
        return cls(
            ports=tuple(filter(None, (port.strip() for port in given))),
            baudrate=config.getoption("--simcom-baudrate"),
            broker=config.getoption("--simcom-broker"),
            log_dir=config.getoption("--simcom-log-dir"),
        )

    @property
    def are_all_simulated(self) -> bool:
        """True if every module is simulated: each worker then has its own."""
        return set(self.ports) == {SIMULATOR}


def _baud_rate(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise ArgumentTypeError(f"{text!r} is not a baud rate: give bits per second, for example 115200")
    return int(text)


def _broker(text: str) -> BrokerChoice:
    if text in ("auto", "mosquitto", "amqtt"):
        return cast("BrokerChoice", text)
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= 65_535:
        raise ArgumentTypeError(f"{text!r} is not a broker: give auto, mosquitto, amqtt or HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)
