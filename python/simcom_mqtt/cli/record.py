"""`simcom-mqtt record`: another command or an AT session, with its transcript."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from .at import run_session
from .device_options import RECORDING, Device, device_options
from .exit_codes import Failure
from .output import echo_error

COMMANDS_TO_RECORD: Final = (
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
)


@click.command(
    short_help="Write everything that goes over the line into a file.",
    context_settings={"allow_interspersed_args": False},
    epilog="""\b
Examples:
  simcom-mqtt record failure.txt pub -h broker.example.com -t dut/state -m up
  simcom-mqtt record session.txt
  simcom-mqtt replay failure.txt""",
)
@device_options
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND [OPTIONS]...]")
@click.pass_context
def record(context: click.Context, device: Device, file: Path, command: tuple[str, ...]) -> None:
    """Run another command, or an AT session, and write everything that goes over the line into FILE.

    Passwords and keys are masked in it. The command takes its own options, --device too. Without a command
    each line of standard input is an AT command: its answer and everything else that the module sends is
    shown, until Ctrl-D.

    `simcom-mqtt replay` plays the module's part again.
    """
    if file.exists():
        raise click.UsageError(f"{file} exists already: name another file, so that no record is overwritten")
    try:
        if command:
            _run_command(context, file, command)
        else:
            with replace(device, transcript=file).open() as modem:
                if not run_session(modem):
                    raise Failure("some commands failed")
    finally:
        if file.exists():
            echo_error(f"recorded in {file}")


def _run_command(context: click.Context, file: Path, words: tuple[str, ...]) -> None:
    name, *arguments = words
    for parameter in ("device", "baudrate", "timeout", "transcript", "log_level", "verbose"):
        if context.get_parameter_source(parameter) is ParameterSource.COMMANDLINE:
            option = "--" + parameter.replace("_", "-")
            raise click.UsageError(f"{option} belongs to the command: record FILE {name} {option} ...")
    application = context.parent.command if context.parent else None
    command = application.get_command(context, name) if isinstance(application, click.Group) else None
    if command is None or name not in COMMANDS_TO_RECORD:
        raise click.UsageError(f"{name} cannot be recorded; these can: {', '.join(COMMANDS_TO_RECORD)}")
    context.meta[RECORDING] = file
    with command.make_context(name, arguments, parent=context.parent) as inner:
        command.invoke(inner)
