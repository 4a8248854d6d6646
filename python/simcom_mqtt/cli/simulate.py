"""`simcom-mqtt simulate`: a port with a simulated module."""

import threading
from typing import get_args

import click

from simcom_mqtt.simulator import PROFILES, Fault, SimulatedModem

from .output import LOG_LEVELS, configure_log, echo


@click.command(
    short_help="Serve a simulated module as a port.",
    epilog="""\b
Examples:
  simcom-mqtt simulate
  simcom-mqtt simulate --fault apn
  simcom-mqtt simulate --tcp 7000 --profile a76xx --baudrate 115200
  simcom-mqtt info -d socket://127.0.0.1:7000""",
)
@click.option("--broker", metavar="HOST:PORT", help="Connect here, whatever host a program names.")
@click.option(
    "--tcp",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Raw TCP on 127.0.0.1 instead of a pseudo-terminal; 0: any port.",
)
@click.option(
    "--profile", type=click.Choice(list(PROFILES)), default="sim767x", show_default=True, help="The firmware."
)
@click.option(
    "--baudrate",
    type=click.IntRange(min=1),
    metavar="BPS",
    help="Limit both directions to the speed of a UART.",
)
@click.option(
    "--fault",
    "faults",
    type=click.Choice(get_args(Fault)),
    multiple=True,
    help="A state that a person can mend, as a real module shows it; repeatable.",
)
@click.option("--seed", type=int, metavar="N", help="Send output in pieces of random length.")
@click.option(
    "--road",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="A CSV file with positions, levels and cells, which the module follows.",
)
@click.option("--imei", help="15 digits.  [default: random]")
@click.option("--log-level", type=click.Choice(LOG_LEVELS), default="warning", show_default=True)
def simulate(
    broker: str | None,
    tcp: int | None,
    profile: str,
    baudrate: int | None,
    faults: tuple[Fault, ...],
    seed: int | None,
    road: str | None,
    imei: str | None,
    log_level: str,
) -> None:
    """Serve a simulated module on a port, whose name is printed, until Ctrl-C.

    Its MQTT client is a real one: it connects to the broker that a program names. Standard error names the
    commands that the module does not know.
    """
    configure_log(log_level)
    with SimulatedModem(
        broker=broker,
        transport=None if tcp is None else "tcp",
        tcp_port=tcp or 0,
        profile=profile,
        baudrate=baudrate,
        faults=faults,
        road=road,
        seed=seed,
        imei=imei,
    ) as module:
        echo(module.port)
        threading.Event().wait()
