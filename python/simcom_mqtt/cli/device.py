"""Which module a verb works on, and the options that say so."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from simcom_mqtt import PortInfo, SimcomMqtt, list_ports

from .log import LEVELS, show_log
from .screen import remark
from .seconds import Seconds

SIMCOM_VENDOR: Final = 0x1E0E
SIMULATOR: Final = "simulator"
RECORDING: Final = "simcom_mqtt.cli.transcript"
"""Where `record` leaves the name of its file for the verb that it runs."""


@dataclass(frozen=True)
class Device:
    """An AT port, as the options name it."""

    name: str | None
    baudrate: int = 115_200
    timeout: float | None = None
    transcript: Path | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether a private simulated module is meant."""
        return self.name == SIMULATOR

    @property
    def command_timeout(self) -> float:
        """How long a command may take that has no limit of its own."""
        return 10.0 if self.timeout is None else self.timeout

    @contextmanager
    def port(self) -> Iterator[str]:
        """The port to open; a simulated module runs as long as the block does."""
        if not self.is_simulated:
            yield self.name or only_simcom_port()
            return
        from simcom_mqtt.simulator import SimulatedModem

        with SimulatedModem() as module:
            remark(f"simulated module on {module.port}")
            yield module.port

    @contextmanager
    def open(self) -> Iterator[SimcomMqtt]:
        """The driver on that port. What it started is stopped at the end of the block."""
        with (
            self.port() as port,
            SimcomMqtt(
                port,
                self.baudrate,
                command_timeout=self.command_timeout,
                transcript=self.transcript,
            ) as modem,
        ):
            yield modem


def only_simcom_port() -> str:
    """The device of the only SIMCom port; a usage error that lists the candidates if there is not one."""
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
    """The ports of this machine that belong to SIMCom modules."""
    return [port for port in list_ports() if port.vid == SIMCOM_VENDOR]


_OPTIONS: Final = (
    click.option(
        "-d",
        "--device",
        metavar="PORT",
        envvar="SIMCOM_PORT",
        show_envvar=True,
        help="AT port: /dev/ttyUSB2, COM5, socket://host:port, or simulator for a private simulated one. "
        "Without it: the only SIMCom port of this machine.",
    ),
    click.option(
        "--baudrate", type=click.IntRange(min=1), default=115_200, show_default=True, help="Bits per second."
    ),
    click.option(
        "--timeout",
        type=Seconds(min_open=True),
        metavar="SECONDS",
        help="How long an answer may take.  [default: each command's own limit]",
    ),
    click.option(
        "--transcript",
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        metavar="FILE",
        help="Write everything that goes over the line into a file, secrets masked.",
    ),
    click.option(
        "--log-level",
        type=click.Choice(LEVELS),
        default="warning",
        show_default=True,
        help="Log on standard error; debug shows each AT line both ways.",
    ),
)


def device_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options of a `device: Device`."""
    with_device = device_options_without_v(verb)

    @functools.wraps(with_device)
    def with_verbose(*arguments: Any, log_level: str, verbose: bool, **others: Any) -> None:
        with_device(*arguments, log_level="debug" if verbose else log_level, **others)

    return click.option("-v", "--verbose", is_flag=True, help="The same as --log-level debug.")(with_verbose)


def device_options_without_v(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the same options but -v, for a verb where that means something else."""

    @functools.wraps(verb)
    def with_device(
        *arguments: Any,
        device: str | None,
        baudrate: int,
        timeout: float | None,
        transcript: Path | None,
        log_level: str,
        **others: Any,
    ) -> None:
        show_log(log_level)
        recorded = click.get_current_context().meta.get(RECORDING)
        verb(*arguments, device=Device(device, baudrate, timeout, transcript or recorded), **others)

    for option in reversed(_OPTIONS):
        with_device = option(with_device)
    return with_device
