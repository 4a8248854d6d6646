"""The module that a command works on, and the options that choose it."""

import functools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from simcom_mqtt import PortInfo, SimcomMqtt, list_ports

from .output import LOG_LEVELS, configure_log, echo_error

SIMCOM_VENDOR: Final = 0x1E0E
SIMULATOR: Final = "simulator"
RECORDING: Final = "simcom_mqtt.cli.transcript"
"""Key in the context's `meta` under which `record` passes its file to the command that it runs."""
LONGEST_TIME: Final = 1e8
"""Three years, in seconds: the longest wait that the operating system accepts."""


class Seconds(click.FloatRange):
    """Option type for a time in seconds: finite, and not negative."""

    def __init__(self, *, min_open: bool = False) -> None:
        super().__init__(min=0, max=LONGEST_TIME, min_open=min_open)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse NaN too, which passes every comparison of a range."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is not a number of seconds", param, ctx)
        return seconds


@dataclass(frozen=True)
class Device:
    """The AT port that the options name, and how to open it."""

    name: str | None
    baudrate: int = 115_200
    timeout: float | None = None
    transcript: Path | None = None

    @property
    def is_simulated(self) -> bool:
        """True if the options ask for a private simulated module."""
        return self.name == SIMULATOR

    def timeout_or(self, default: float) -> float:
        """Return the time-out of the options, or a command's own one."""
        return default if self.timeout is None else self.timeout

    @contextmanager
    def port(self) -> Iterator[str]:
        """Yield the port to open; a simulated module runs as long as the block does."""
        if not self.is_simulated:
            yield self.name or only_simcom_port()
            return
        from simcom_mqtt.simulator import SimulatedModem

        with SimulatedModem() as module:
            echo_error(f"simulated module on {module.port}")
            yield module.port

    def open_port(self, port: str) -> SimcomMqtt:
        """Open the driver on this port, with the settings of the options."""
        return SimcomMqtt(
            port, self.baudrate, command_timeout=self.timeout_or(10.0), transcript=self.transcript
        )

    @contextmanager
    def open(self) -> Iterator[SimcomMqtt]:
        """Yield the driver on the port. The end of the block stops all that the driver started."""
        with self.port() as port, self.open_port(port) as modem:
            yield modem


def only_simcom_port() -> str:
    """Return the device of the only SIMCom port; several or none are a usage error."""
    candidates = simcom_ports()
    if len(candidates) == 1:
        return candidates[0].device
    if not candidates:
        raise click.UsageError(
            "no SIMCom port found: is the module plugged in and powered? Name its AT port with --device or "
            "$SIMCOM_PORT; --device simulator needs no hardware"
        )
    listed = ", ".join(candidate.device for candidate in candidates)
    raise click.UsageError(
        f"several SIMCom ports: {listed}. `simcom-mqtt ports` shows which of them answer AT; name one with "
        "--device or $SIMCOM_PORT"
    )


def simcom_ports() -> list[PortInfo]:
    """Return the ports of this machine that belong to SIMCom modules."""
    return [port for port in list_ports() if port.vid == SIMCOM_VENDOR]


_OPTIONS: Final = (
    click.option(
        "-d",
        "--device",
        metavar="PORT",
        envvar="SIMCOM_PORT",
        show_envvar=True,
        help="AT port: /dev/ttyUSB2, COM5, socket://host:port, or simulator for a private simulated module. "
        "Without it: the only SIMCom port of this machine.",
    ),
    click.option(
        "--baudrate", type=click.IntRange(min=1), default=115_200, show_default=True, help="Bits per second."
    ),
    click.option(
        "--timeout",
        type=Seconds(min_open=True),
        metavar="SECONDS",
        help="Longest wait for an answer.  [default: each AT command's own limit]",
    ),
    click.option(
        "--transcript",
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        metavar="FILE",
        help="Write everything that goes over the line into a file, secrets masked.",
    ),
    click.option(
        "--log-level",
        type=click.Choice(LOG_LEVELS),
        default="warning",
        show_default=True,
        help="Log to standard error; debug shows each AT line in both directions.",
    ),
)


def device_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of its argument `device: Device`."""
    with_device = device_options_without_v(command)

    @functools.wraps(with_device)
    def with_verbose(*arguments: Any, log_level: str, verbose: bool, **others: Any) -> None:
        with_device(*arguments, log_level="debug" if verbose else log_level, **others)

    return click.option("-v", "--verbose", is_flag=True, help="The same as --log-level debug.")(with_verbose)


def device_options_without_v(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the same options but -v, which means something else to it."""

    @functools.wraps(command)
    def with_device(
        *arguments: Any,
        device: str | None,
        baudrate: int,
        timeout: float | None,
        transcript: Path | None,
        log_level: str,
        **others: Any,
    ) -> None:
        configure_log(log_level)
        recording = click.get_current_context().meta.get(RECORDING)
        command(*arguments, device=Device(device, baudrate, timeout, transcript or recording), **others)

    for option in reversed(_OPTIONS):
        with_device = option(with_device)
    return with_device
