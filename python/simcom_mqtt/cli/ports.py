"""`simcom-mqtt ports`: which ports there are, and which of them answer AT."""

import threading
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Final

import click

from simcom_mqtt import CommandTimeoutError, PortError, PortInfo, SimcomError, SimcomMqtt, list_ports

from .device import SIMCOM_VENDOR
from .log import show_log
from .screen import remark, say_json, say_table

COLUMNS: Final = ("device", "answers AT", "VID:PID", "interface", "by-id path, or description")
NOT_TRIED: Final = "not tried"


@dataclass(frozen=True)
class Probed:
    """A port, and whether it answered: "yes", "no", "busy", "cannot be opened" or "not tried"."""

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

    Only the ports of SIMCom's USB devices (vendor 1E0E) are tried, all at a time, which takes up to 6 s: AT
    goes to each of them, and carriage returns to one that is mute. Other devices may not like that, so they
    are tried only with --probe-all.
    """
    show_log("error")
    probed = _probe(list_ports(), baudrate, probe_all=probe_all)
    if as_json:
        say_json([_as_json(one) for one in probed])
        return
    if not probed:
        remark("this machine has no serial port: is the module plugged in and powered?")
        return
    say_table(COLUMNS, [_as_row(one) for one in probed])
    for one in probed:
        if one.error:
            remark(one.error)


def _probe(found: list[PortInfo], baudrate: int, *, probe_all: bool) -> list[Probed]:
    answered: SimpleQueue[Probed] = SimpleQueue()

    def probe(port: PortInfo) -> None:
        answered.put(_ask(port, baudrate))

    tried = [port for port in found if probe_all or port.vid == SIMCOM_VENDOR]
    for port in tried:
        # Daemons: Ctrl-C does not wait for a mute port.
        threading.Thread(target=probe, args=(port,), name=f"probe {port.device}", daemon=True).start()
    by_device = {probed.port.device: probed for probed in (answered.get() for _ in tried)}
    return [by_device.get(port.device) or Probed(port, NOT_TRIED) for port in found]


def _ask(port: PortInfo, baudrate: int) -> Probed:
    try:
        SimcomMqtt(port.device, baudrate).close()
    except CommandTimeoutError:
        return Probed(port, "no")
    except SimcomError as error:
        is_busy = isinstance(error, PortError) and "in use" in str(error)
        return Probed(port, "busy" if is_busy else "cannot be opened", str(error))
    return Probed(port, "yes")


def _as_row(probed: Probed) -> list[str]:
    port = probed.port
    return [
        port.device,
        probed.answer,
        _usb_id(port) or "-",
        "-" if port.interface is None else str(port.interface),
        port.by_id or port.description or "-",
    ]


def _as_json(probed: Probed) -> dict[str, object]:
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
