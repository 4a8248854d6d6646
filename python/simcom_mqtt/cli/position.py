"""`simcom-mqtt position`: the position of the module by satellites."""

import time
from dataclasses import asdict

import click

from simcom_mqtt import Position, SimcomMqtt

from .device_options import Device, Seconds, device_options
from .exit_codes import Failure
from .output import echo_fields, echo_json

POLL_INTERVAL = 1.0


@click.command(
    short_help="Show the position by satellites.",
    epilog="""\b
Examples:
  simcom-mqtt position --on --wait 120
  simcom-mqtt position --json | jq .latitude
  simcom-mqtt position --off""",
)
@device_options
@click.option("--on/--off", "power", default=None, help="Switch the satellite receiver on first, or off.")
@click.option(
    "-W",
    "--wait",
    type=Seconds(),
    default=0.0,
    metavar="SECONDS",
    help="Longest wait for a position.  [default: none]",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def position(device: Device, power: bool | None, wait: float, as_json: bool) -> None:
    """Show latitude, longitude and time: AT+CGNSSPWR, AT+CGNSSINFO.

    Exits with status 1 if there is no position: the receiver is off, or has not found enough satellites.
    """
    with device.open() as modem:
        if power is not None:
            modem.set_gnss(power, timeout=device.timeout_or(30.0))
        if power is False:
            return
        found = _wait_for_position(modem, wait)
    if found is None:
        raise Failure(
            "no position: is the receiver on (--on), and does its antenna see the sky? --wait waits"
        )
    if as_json:
        echo_json({name: value for name, value in _fields(found).items() if name != "raw"})
        return
    echo_fields([(name, value) for name, value in _fields(found).items() if name != "raw"])


def _wait_for_position(modem: SimcomMqtt, wait: float) -> Position | None:
    deadline = time.monotonic() + wait
    while True:
        found = modem.position()
        left = deadline - time.monotonic()
        if found is not None or left <= 0:
            return found
        time.sleep(min(POLL_INTERVAL, left))


def _fields(found: Position) -> dict[str, object]:
    return {**asdict(found), "time": found.time.isoformat()}
