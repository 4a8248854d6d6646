"""The command with its verbs."""

import click

from simcom_mqtt import __version__

from .at import at
from .certs import certs
from .demo import demo
from .doctor import doctor
from .endings import ending_as_agreed
from .info import info
from .ports import ports
from .pub import pub
from .record import record
from .replay import replay
from .simulate import simulate
from .soak import soak
from .sub import sub


class Application(click.Group):
    """A group of verbs whose errors end as messages and exit statuses."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb."""
        with ending_as_agreed():
            return super().invoke(ctx)


@click.group(
    cls=Application,
    context_settings={"max_content_width": 100},
    epilog="""\b
Examples:
  simcom-mqtt ports
  simcom-mqtt doctor --device /dev/ttyUSB2
  simcom-mqtt sub --device simulator --topic 'dut/#' --verbose

Each verb has its own --help. Exit status: 0 fine, 1 the operation failed, 2 wrong usage, 130 Ctrl-C.""",
)
@click.version_option(__version__, prog_name="simcom-mqtt")
def application() -> None:
    """Try, diagnose and measure SIM7672X/SIM7652X LTE modules and the MQTT client inside them."""


for verb in (ports, info, doctor, at, pub, sub, certs, soak, record, replay, simulate, demo):
    application.add_command(verb)
