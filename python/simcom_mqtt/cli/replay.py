"""`simcom-mqtt replay`: a transcript as a port."""

import threading
from pathlib import Path

import click

from simcom_mqtt.simulator import Replay

from .log import show_log
from .screen import say


@click.command(
    short_help="Play a recorded session as a port.",
    epilog="""\b
Example:
  simcom-mqtt replay failure.txt &
  simcom-mqtt pub -d PORT -h broker.example.com -t dut/state -m up""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--speed",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="How many times faster than recorded.",
)
def replay(file: Path, speed: float) -> None:
    """Play the module's half of a transcript on a port, whose name is printed, until Ctrl-C.

    The same verb with the same options gets the same answers again. What was said otherwise than recorded is
    told on standard error.
    """
    show_log("warning")
    with Replay(file, speed=speed) as port:
        say(port.port)
        threading.Event().wait()
