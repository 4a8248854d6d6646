"""`simcom-mqtt ports`: the serial ports of this machine, and which of them answer AT."""

import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final

import click

from simcom_mqtt import CommandTimeoutError, PortError, PortInfo, SimcomError, SimcomMqtt, list_ports

from .device_options import SIMCOM_VENDOR
from .output import configure_log, echo_error, echo_json, echo_table
from .text import error_text

COLUMNS: Final = ("device", "answers AT", "VID:PID", "interface", "by-id path, or description")


@dataclass(frozen=True)
class ProbedPort:
    """A port and the outcome of its probe: "yes", "no", "busy", "cannot be opened" or "not tried"."""

    port: PortInfo
    answer: str
    error: str | None = None


@click.command(
    short_help="List the serial ports, and which of them answer AT.",
    epilog="""\b
Examples:
  simcom-mqtt ports
  simcom-mqtt ports --json | jq -r '.[] | select(.answers == "yes") | .device'""",
)
@click.option("--probe-all", is_flag=True, help="Try the ports of other makers too.")
@click.option(
    "--baudrate", type=click.IntRange(min=1), default=115_200, show_default=True, help="Bits per second."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON array.")
def ports(probe_all: bool, baudrate: int, as_json: bool) -> None:
    """List the serial ports of this machine, and which of them answer AT.

    Tries only the ports of SIMCom's USB devices (vendor 1E0E), all at once, which takes up to 6 s: each gets
    AT, and carriage returns if it does not answer. Devices of other makers may not like that, so they are
    tried only with --probe-all.
    """
    configure_log("error")
    probed = _probe(list_ports(), baudrate, probe_all=probe_all)
    if as_json:
        echo_json([_as_json(each) for each in probed])
        return
    if not probed:
        echo_error("this machine has no serial port: is the module plugged in and powered?")
        return
    echo_table(COLUMNS, [_as_row(each) for each in probed])
    for each in probed:
        if each.error:
            echo_error(each.error)


def _probe(found: list[PortInfo], baudrate: int, *, probe_all: bool) -> list[ProbedPort]:
    answered: SimpleQueue[ProbedPort] = SimpleQueue()

    def probe(port: PortInfo) -> None:
        answered.put(_ask(port, baudrate))

    tried = [port for port in found if probe_all or port.vid == SIMCOM_VENDOR]
    for port in tried:
        # Daemon threads: Ctrl-C does not wait for a silent port.
        threading.Thread(target=probe, args=(port,), name=f"probe {port.device}", daemon=True).start()
    by_device = {probed.port.device: probed for probed in (answered.get() for _ in tried)}
    return [by_device.get(port.device) or ProbedPort(port, "not tried") for port in found]


def _ask(port: PortInfo, baudrate: int) -> ProbedPort:
    try:
        SimcomMqtt(port.device, baudrate).close()
    except CommandTimeoutError:
        return ProbedPort(port, "no")
    except SimcomError as error:
        is_busy = isinstance(error, PortError) and "in use" in str(error)
        return ProbedPort(port, "busy" if is_busy else "cannot be opened", error_text(error))
    return ProbedPort(port, "yes")


def _as_row(probed: ProbedPort) -> list[str]:
    port = probed.port
    return [
        port.device,
        probed.answer,
        _usb_id(port) or "-",
        "-" if port.interface is None else str(port.interface),
        port.by_id or port.description or "-",
    ]


def _as_json(probed: ProbedPort) -> dict[str, object]:
    port = probed.port
    return {
        "device": port.device,
        "answers": probed.answer,
        "error": probed.error,
        "usb_id": _usb_id(port),
        "interface": port.interface,
        "by_id": port.by_id,
        "serial_number": port.serial_number,
        "description": port.description,
    }


def _usb_id(port: PortInfo) -> str | None:
    return None if port.vid is None or port.pid is None else f"{port.vid:04X}:{port.pid:04X}"
