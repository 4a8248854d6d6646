"""`simcom-mqtt clock`: the clock of the module."""

from datetime import UTC, datetime

import click

from .device_options import Device, device_options
from .exit_codes import Failure
from .output import echo, echo_json


@click.command(
    short_help="Show or set the clock of the module.",
    epilog="""\b
Examples:
  simcom-mqtt clock
  simcom-mqtt clock --sync --server ntp.example.com""",
)
@device_options
@click.option("--sync", is_flag=True, help="Set it from a time server first, through the module's network.")
@click.option("--server", metavar="HOST", default="pool.ntp.org", show_default=True, help="For --sync.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def clock(device: Device, sync: bool, server: str, as_json: bool) -> None:
    """Show the time of the module with its time zone: AT+CCLK?. --sync sets it: AT+CNTP.

    Exits with status 1 if the clock was never set.
    """
    with device.open() as modem:
        time = modem.sync_clock(server, timeout=device.timeout_or(30.0)) if sync else modem.clock()
    if as_json:
        difference = None if time is None else round((time - datetime.now(UTC)).total_seconds())
        echo_json({"time": None if time is None else time.isoformat(), "seconds_off": difference})
    elif time is not None:
        echo(time.isoformat(" "))
    if time is None:
        raise Failure("the clock was never set: `simcom-mqtt clock --sync` sets it from a time server")
