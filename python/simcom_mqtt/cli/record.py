"""`simcom-mqtt record`: a session with its transcript."""

from pathlib import Path
from typing import Final

import click
from click.core import ParameterSource

from .at_session import talk
from .device import RECORDING, Device, device_options
from .endings import Failure
from .screen import remark

VERBS: Final = ("info", "doctor", "at", "pub", "sub", "certs", "soak")


@click.command(
    short_help="Write what goes over the line into a file.",
    context_settings={"allow_interspersed_args": False},
    epilog="""\b
Examples:
  simcom-mqtt record failure.txt pub -h broker.example.com -t dut/state -m up
  simcom-mqtt record session.txt
  simcom-mqtt replay failure.txt""",
)
@device_options
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.argument("verb", nargs=-1, type=click.UNPROCESSED, metavar="[VERB [OPTIONS]...]")
@click.pass_context
def record(context: click.Context, device: Device, file: Path, verb: tuple[str, ...]) -> None:
    """Run another verb, or an AT session, and write everything that goes over the line into FILE.

    Passwords and keys are masked in it. The verb has its own options, --device too. Without a verb each line
    of standard input is an AT command: what the module answers and says unasked is shown, until Ctrl-D.

    `simcom-mqtt replay` plays the module's half again.
    """
    if file.exists():
        raise click.UsageError(f"{file} is there already: name another, so that no failure is overwritten")
    try:
        if verb:
            _run(context, file, verb)
        else:
            _converse(device, file)
    finally:
        if file.exists():
            remark(f"recorded in {file}")


def _run(context: click.Context, file: Path, verb: tuple[str, ...]) -> None:
    name, *arguments = verb
    for parameter in ("device", "baudrate", "timeout", "transcript", "log_level", "verbose"):
        if context.get_parameter_source(parameter) is ParameterSource.COMMANDLINE:
            option = "--" + parameter.replace("_", "-")
            raise click.UsageError(f"{option} belongs to the verb: record FILE {name} {option} ...")
    application = context.parent.command if context.parent else None
    command = application.get_command(context, name) if isinstance(application, click.Group) else None
    if command is None or name not in VERBS:
        raise click.UsageError(f"{name} is no verb to record; these are: {', '.join(VERBS)}")
    context.meta[RECORDING] = file
    with command.make_context(name, arguments, parent=context.parent) as inner:
        command.invoke(inner)


def _converse(device: Device, file: Path) -> None:
    recorded = Device(device.name, device.baudrate, device.timeout, file)
    with recorded.open() as modem:
        if not talk(modem):
            raise Failure("some commands failed")
