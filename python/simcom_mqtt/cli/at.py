"""`simcom-mqtt at`: one AT command."""

from typing import BinaryIO

import click

from .device import Device, device_options
from .masking import without_password
from .screen import say


@click.command(
    short_help="Run one AT command.",
    epilog="""\b
Examples:
  simcom-mqtt at AT+CPSI?
  simcom-mqtt at "AT+CCERTDOWN=\\"ca.pem\\",$(stat -c%s ca.pem)" --data-file ca.pem""",
)
@device_options
@click.argument("command")
@click.option("--data", metavar="TEXT", help="What the > prompt of the command gets.")
@click.option("--data-file", type=click.File("rb"), metavar="FILE", help="The same from a file; - is stdin.")
def at(device: Device, command: str, data: str | None, data_file: BinaryIO | None) -> None:
    """Run an AT command and print its information lines, without echo and OK.

    What the module sends later is not waited for: `simcom-mqtt record` keeps the port open, and shows it.
    """
    if data is not None and data_file is not None:
        raise click.UsageError("give either --data or --data-file")
    entered = data_file.read() if data_file else data
    with device.open() as modem:
        for line in modem.command(command, entered, timeout=device.timeout):
            say(without_password(line))
