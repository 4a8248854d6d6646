"""`simcom-mqtt sim`: the SIM card."""

import click

from .device_options import Device, device_options
from .output import echo_fields, echo_json


@click.command(
    short_help="Show the SIM card.",
    epilog="""\b
Examples:
  simcom-mqtt sim
  simcom-mqtt sim --json | jq -r .iccid""",
)
@device_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def sim(device: Device, as_json: bool) -> None:
    """Show state and numbers of the SIM card: AT+CPIN?, AT+CICCID, AT+CIMI.

    Exits with status 1 if the card is not ready.
    """
    with device.open() as modem:
        card = modem.sim()
    if as_json:
        echo_json({"state": card.state, "iccid": card.iccid, "imsi": card.imsi})
    else:
        echo_fields([("state", card.state), ("ICCID", card.iccid), ("IMSI", card.imsi)])
    if card.state != "ready":
        raise click.exceptions.Exit(1)
