"""The application `simcom-mqtt` with its commands."""

from importlib import import_module
from typing import Any, Final, cast

import click

from simcom_mqtt import __version__

from .exit_codes import exit_codes

COMMANDS: Final = (
    "ports",
    "info",
    "doctor",
    "sim",
    "pin",
    "apn",
    "clock",
    "position",
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
"""Each has a file of its name, imported on use: most commands do not need the simulated module."""


class Application(click.Group):
    """Imports commands on use, and ends their errors as messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in the order in which a user needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        return cast(click.Command, getattr(import_module(f"{__package__}.{cmd_name}"), cmd_name))

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the command line; --help and --version write their text here."""
        with exit_codes():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        with exit_codes():
            return super().invoke(ctx)


@click.group(
    cls=Application,
    context_settings={"max_content_width": 100},
    epilog="""\b
Examples:
  simcom-mqtt ports
  simcom-mqtt doctor --device /dev/ttyUSB2
  simcom-mqtt sub --device simulator --topic 'dut/#' --verbose

Each command has its own --help. Exit status: 0 success, 1 failure, 2 wrong usage, 130 Ctrl-C.""",
)
@click.version_option(__version__, prog_name="simcom-mqtt")
def application() -> None:
    """Try, diagnose and measure SIM7672X/SIM7652X LTE modules and the MQTT client inside them."""
