"""The command with its verbs."""

from importlib import import_module
from typing import Final, cast

import click

from simcom_mqtt import __version__

from .endings import ending_as_agreed

VERBS: Final = (
    "ports",
    "info",
    "doctor",
    "at",
    "pub",
    "sub",
    "certs",
    "soak",
    "record",
    "replay",
    "simulate",
    "demo",
)
"""Each has a file of its name, imported when it is needed: most do without the simulated module."""


class Application(click.Group):
    """The verbs, whose errors end as messages and exit statuses."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the verbs, in the order in which one comes to need them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a verb."""
        if cmd_name not in VERBS:
            return None
        return cast(click.Command, getattr(import_module(f"{__package__}.{cmd_name}"), cmd_name))

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
