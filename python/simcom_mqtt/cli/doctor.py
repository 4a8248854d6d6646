"""`simcom-mqtt doctor`: checks everything from the port to the broker, and says how to fix what fails."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import click
from click.core import ParameterSource
from rich.table import Table
from rich.text import Text

from simcom_mqtt import SimcomError, SimcomMqtt

from .broker_check import check_broker
from .broker_options import Broker, broker_options
from .device_options import Device, device_options, simcom_ports
from .finding import CAUSES, Finding, Verdict, failed, fine, mark_consequences
from .module_check import check_clock, check_firmware, check_service, check_tls
from .network_check import check_packet_data, check_registration, check_signal, check_sim
from .output import OUTPUT, echo_json, is_plain
from .port_check import PORT, no_port, port_findings
from .text import error_text, printable

CHECKS: Final[dict[str, Callable[[SimcomMqtt], Finding]]] = {
    "firmware": check_firmware,
    "SIM": check_sim,
    "signal": check_signal,
    "registration": check_registration,
    "PDP": check_packet_data,
    "clock": check_clock,
    "MQTT": check_service,
    "TLS": check_tls,
}
MARKS: Final = {
    Verdict.FINE: ("✔", "green"),
    Verdict.WARNING: ("!", "yellow"),
    Verdict.FAILED: ("✘", "red"),
    Verdict.FOLLOWS: ("↳", "dim"),
}


@click.command(
    short_help="Check everything from the port to TLS, each with the fix.",
    epilog="""\b
Examples:
  simcom-mqtt doctor
  simcom-mqtt doctor -d /dev/ttyUSB2 -h broker.example.com --cafile ca.pem""",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@broker_options
@device_options
def doctor(device: Device, broker: Broker, as_json: bool) -> None:
    """Check port, firmware, SIM, signal, registration, PDP, clock, MQTT and TLS, each with the fix.

    With a broker named, as for pub and sub, it is connected to as well. A failure that follows from another
    one is marked. Exits with status 1 if something failed.
    """
    show = _show_as_json if as_json else _show
    verdicts = []
    for finding in mark_consequences(_examine(device, broker)):
        show(replace(finding, fix=_with_device(finding.fix, device)))
        verdicts.append(finding.verdict)
    if Verdict.FAILED in verdicts:
        raise click.exceptions.Exit(1)


def _examine(device: Device, broker: Broker) -> Iterator[Finding]:
    if device.name is None and not simcom_ports():
        yield no_port()
        return
    with device.port() as port:
        try:
            modem = device.open_port(port)
        except SimcomError as error:
            yield from port_findings(port, error)
            return
        with modem:
            yield fine(PORT, f"{port} answers AT")
            failures = set()
            for subject, check in CHECKS.items():
                try:
                    finding = check(modem)
                except SimcomError as error:
                    finding = failed(
                        subject, error_text(error), "--log-level debug shows each line in both directions"
                    )
                if finding.verdict is Verdict.FAILED:
                    failures.add(subject)
                yield finding
            if broker.url and failures.isdisjoint(CAUSES["broker"]):
                yield check_broker(modem, broker, broker.url, device)
            elif broker.url:
                yield failed("broker", "not tried", "")


def _with_device(fix: str, device: Device) -> str:
    """Let the commands in a fix work as they stand: with the device of the options."""
    source = click.get_current_context().get_parameter_source("device")
    if device.name is None or device.is_simulated or source is not ParameterSource.COMMANDLINE:
        return fix
    option = f"--device {shlex.quote(device.name)}"
    for command in ("at", "pin", "apn", "clock"):
        fix = fix.replace(f"`simcom-mqtt {command} ", f"`simcom-mqtt {command} {option} ")
    return fix


def _show(finding: Finding) -> None:
    if is_plain():
        click.echo(f"{finding.verdict:<8} {finding.subject:<13} {printable(finding.text)}")
        if finding.fix:
            click.echo(f"{'':<8} {'':<13} fix: {printable(finding.fix)}")
        return
    mark, colour = MARKS[finding.verdict]
    text = Text(printable(finding.text))
    if finding.fix:
        text.append(f"\n→ {printable(finding.fix)}", colour)
    row = Table.grid(padding=(0, 1))
    row.add_column(width=1)
    row.add_column(width=12)
    row.add_row(Text(mark, colour), Text(finding.subject, "bold"), text)
    OUTPUT.print(row)


def _show_as_json(finding: Finding) -> None:
    echo_json(
        {
            "subject": finding.subject,
            "verdict": finding.verdict,
            "finding": finding.text,
            "fix": finding.fix or None,
        }
    )
