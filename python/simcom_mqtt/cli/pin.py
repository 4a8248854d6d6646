"""`simcom-mqtt pin`: the PIN of the SIM card."""

import click

from .device_options import Device, device_options
from .output import ask_secret, echo_error


@click.command(
    short_help="Enter the PIN of the SIM card.",
    epilog="""\b
Examples:
  simcom-mqtt pin
  simcom-mqtt pin 1234""",
)
@device_options
@click.argument("pin", required=False)
def pin(device: Device, pin: str | None) -> None:
    """Enter the PIN of the SIM card: AT+CPIN.

    Without PIN it is asked for; without a terminal, a line of standard input is taken. The list of processes
    shows an argument to all users here. A wrong PIN is sent once only: three wrong ones lock the card.
    """
    entered = pin or ask_secret("PIN")
    with device.open() as modem:
        modem.enter_pin(entered)
    echo_error("the SIM card is unlocked")
