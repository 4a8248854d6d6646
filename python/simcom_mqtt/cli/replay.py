"""`simcom-mqtt replay`: a port that plays a transcript."""

import threading
from pathlib import Path

import click

from simcom_mqtt.simulator import Replay

from .output import configure_log, echo


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
    help="Factor of the recorded speed.",
)
def replay(file: Path, speed: float) -> None:
    """Play the module's part of a transcript on a port, whose name is printed, until Ctrl-C.

    The same command with the same options gets the same answers again. Standard error names each line that
    differs from the record.
    """
    configure_log("warning")
    with Replay(file, speed=speed) as port:
        echo(port.port)
        threading.Event().wait()
