"""What keeps a port from being used: missing, busy, not allowed, or nothing answers on it."""

from simcom_mqtt import CommandTimeoutError, SimcomError

from .device import simcom_ports
from .finding import Finding, failed, warning
from .port_users import modem_manager_runs, users_of

PORT = "port"


def no_port() -> Finding:
    """Tell that there is no module to be seen at all."""
    return failed(
        PORT,
        "this machine has no port of a SIMCom module (USB vendor 1E0E)",
        "check power, cable and hub; `lsusb -d 1e0e:` shows whether the module is there, and `sudo modprobe "
        "option` gives it ports; on a UART name its port: --device /dev/ttyS0 or the like",
    )


def why_not(port: str, error: SimcomError) -> list[Finding]:
    """What stands between this machine and the module on a port that could not be used."""
    users = users_of(port)
    others = [other.device for other in simcom_ports() if other.device != port]
    if users:
        fix = f"end {', '.join(users)}"
    elif isinstance(error, CommandTimeoutError):
        fix = (
            "give it 15 s from power-on; try the module's other ports; on a UART try another --baudrate, "
            "and swap TX and RX; press its PWRKEY for 1 s; at last take its power away"
        )
    else:
        fix = "see above; `simcom-mqtt ports` lists what there is"
    findings = [failed(PORT, str(error), fix)]
    if others:
        findings.append(
            warning(
                "other ports",
                f"SIMCom modules have these too: {', '.join(others)}",
                "`simcom-mqtt ports` shows which of them answer AT",
            )
        )
    if modem_manager_runs():
        findings.append(
            warning(
                "ModemManager",
                "it runs, and opens every modem that it finds",
                "`sudo systemctl stop ModemManager`, or a udev rule with ENV{ID_MM_DEVICE_IGNORE}=1 for 1e0e",
            )
        )
    return findings
