"""`simcom-mqtt demo`: the demonstration of `make demo`."""

import click

from simcom_mqtt.demonstration import demonstrate

from .device_options import SIMULATOR
from .output import configure_log


@click.command(
    short_help="Publish and receive ten messages, step by step.",
    epilog="""\b
Examples:
  simcom-mqtt demo
  simcom-mqtt demo -d /dev/ttyUSB2 -L mqtt://broker.example.com""",
)
@click.option("-d", "--device", metavar="PORT", default=SIMULATOR, show_default=True, help="AT port.")
@click.option(
    "-L", "--url", metavar="URL", help="A broker that the module can reach.  [default: one on this machine]"
)
@click.option("--embedded", is_flag=True, help="Start amqtt, even if Mosquitto is installed.")
def demo(device: str, url: str | None, embedded: bool) -> None:
    """Publish and receive ten messages, step by step, on a simulated module and a broker on this machine."""
    if device != SIMULATOR and not url:
        raise click.UsageError("a real module needs a broker that it can reach: --url mqtt://HOST[:PORT]")
    configure_log("warning")
    demonstrate(None if device == SIMULATOR else device, url, embedded=embedded)
