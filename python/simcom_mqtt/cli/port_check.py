"""The port check of `simcom-mqtt doctor`: missing, busy, not allowed, or without an answer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from simcom_mqtt import CommandTimeoutError, SimcomError

from .device_options import simcom_ports
from .finding import Finding, failed, warning
from .text import error_text

PORT: Final = "port"
PROCESSES: Final = Path("/proc")
MODEM_MANAGER: Final = "ModemManager"


def no_port() -> Finding:
    """Report that this machine has no port of a module."""
    return failed(
        PORT,
        "this machine has no port of a SIMCom module (USB vendor 1E0E)",
        "check power, cable and hub; `lsusb -d 1e0e:` shows whether the module is there, and `sudo modprobe "
        "option` gives it ports; on a UART name its port: --device /dev/ttyS0 or the like",
    )


def port_findings(port: str, error: SimcomError) -> list[Finding]:
    """Report why a port could not be opened, and what may be in its way."""
    others = [other.device for other in simcom_ports() if other.device != port]
    if isinstance(error, CommandTimeoutError):
        fix = (
            "give it 15 s from power-on; try the module's other ports; on a UART try another --baudrate, "
            "and swap TX and RX; press its PWRKEY for 1 s; if nothing helps, disconnect its power"
        )
    else:
        fix = "see the error; `simcom-mqtt ports` lists the ports"
    findings = [failed(PORT, error_text(error), fix)]
    if others:
        findings.append(
            warning(
                "other ports",
                f"SIMCom modules have these too: {', '.join(others)}",
                "`simcom-mqtt ports` shows which of them answer AT",
            )
        )
    if any(_name(process) == MODEM_MANAGER for process in _processes()):
        findings.append(
            warning(
                "ModemManager",
                "it runs, and opens every modem that it finds",
                "`sudo systemctl stop ModemManager`, or a udev rule with ENV{ID_MM_DEVICE_IGNORE}=1 for 1e0e",
            )
        )
    return findings


def _processes() -> Iterator[Path]:
    if PROCESSES.is_dir():
        yield from (process for process in PROCESSES.iterdir() if process.name.isdigit())


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:  # the process has ended
        return ""
