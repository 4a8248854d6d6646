"""`simcom-mqtt at`: one AT command. `run_session`: AT commands line by line, for `simcom-mqtt record`."""

import contextlib
import logging
import select
import signal
import socket
from collections.abc import Iterator
from typing import BinaryIO, Final, Self, TextIO

import click

from simcom_mqtt import ClosedError, Message, PortError, SimcomError, SimcomMqtt

from .device_options import Device, device_options
from .output import AT_LOGGER, echo, echo_error, standard_input
from .text import error_text

PROMPT: Final = "AT session> "
DATA_PROMPT: Final = "> "

_MQTT_RESULTS: Final = frozenset(
    f"+CMQTT{name}"
    for name in ("START", "STOP", "CONNECT", "DISC", "PUB", "SUB", "UNSUB", "CONNLOST", "NONET")
)


@click.command(
    short_help="Run one AT command.",
    epilog="""\b
Examples:
  simcom-mqtt at AT+CPSI?
  simcom-mqtt at "AT+CCERTDOWN=\\"ca.pem\\",$(stat -c%s ca.pem)" --data-file ca.pem""",
)
@device_options
@click.argument("command")
@click.option("--data", metavar="TEXT", help="The answer to the > prompt of the AT command.")
@click.option("--data-file", type=click.File("rb"), metavar="FILE", help="The same from a file; - is stdin.")
def at(device: Device, command: str, data: str | None, data_file: BinaryIO | None) -> None:
    """Run an AT command and print its information lines, without echo and OK.

    Ends before the module sends anything later: `simcom-mqtt record` keeps the port open, and shows that too.
    """
    if data is not None and data_file is not None:
        raise click.UsageError("give either --data or --data-file")
    with device.open() as modem:
        _echo_answer(modem.command(command, data_file.read() if data_file else data, timeout=device.timeout))


def run_session(modem: SimcomMqtt) -> bool:
    """Run each line of standard input as an AT command until the input ends; return True if none failed."""
    modem.on_urc = lambda line: _echo_answer([line])
    modem.on_message = _echo_message
    with _ResultEcho() as results, _Input() as lines:
        succeeded = True
        for line in lines.commands():
            results.command = line
            try:
                _echo_answer(_run(modem, lines, line))
                if standard_input().isatty():
                    echo("OK", "green")
            except (PortError, ClosedError):
                raise
            except (SimcomError, ValueError) as error:
                echo_error(f"Error: {error_text(error)}")
                succeeded = False
        return succeeded


def _run(modem: SimcomMqtt, lines: "_Input", line: str) -> list[str]:
    try:
        return modem.command(line)
    except ValueError as error:
        # The driver knows which commands ask for data, and refuses them before it writes a byte.
        if "prompt" not in str(error):
            raise
    return modem.command(line, lines.data())


def _echo_answer(lines: list[str]) -> None:
    for line in lines:
        echo(_without_password(line))


def _without_password(line: str) -> str:
    # The module itself reports the password: +CMQTTCONNECT: 0,"tcp://host:1883",60,1,"user","password"
    if not line.startswith("+CMQTTCONNECT: ") or line.count('"') < 6:
        return line
    *before, password = line.split('"', 5)
    password, quote, after = password.rpartition('"')
    return '"'.join([*before, "*" * len(password) + quote + after])


def _echo_message(message: Message) -> None:
    echo(f"{message.topic} {message.payload.decode('utf-8', 'backslashreplace')}")


class _ResultEcho(logging.Handler):
    """Shows the results of MQTT commands, which the driver does not pass to `on_urc`."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.command = ""
        self._logger = logging.getLogger(AT_LOGGER)

    def __enter__(self) -> Self:
        self._logger.propagate = self._logger.isEnabledFor(logging.DEBUG)
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)
        return self

    def __exit__(self, *exc: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(logging.NOTSET)
        self._logger.propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        """Show a result, unless the line is part of the answer to the current command."""
        direction, _, line = record.getMessage().partition(" ")
        name, _, values = line.partition(": ")
        if direction != "<" or name not in _MQTT_RESULTS or f"{name[1:]}?" in self.command.upper():
            return
        if all(value.isdecimal() for value in values.split(",")) or not values:
            echo(line)


class _Input:
    """Lines of standard input. A signal interrupts the wait for a line."""

    def __enter__(self) -> Self:
        # Made before the first prompt: Ctrl-C between the two sockets would leave one open.
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        return self

    def __exit__(self, *exc: object) -> None:
        self._reader.close()
        self._writer.close()

    def commands(self) -> Iterator[str]:
        """Yield each line that is not blank."""
        while True:
            try:
                line = self._read(PROMPT)
            except EOFError:
                return
            if line.strip():
                yield line.strip()

    def data(self) -> str:
        """Return the line that a command asks for at its prompt."""
        try:
            return self._read(DATA_PROMPT)
        except EOFError:
            return ""

    def _read(self, prompt: str) -> str:
        # Only a person sees the prompt.
        if standard_input().isatty():
            click.echo(prompt, nl=False)
            self._wait_for_line_or_signal()
        line = standard_input().readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")

    def _wait_for_line_or_signal(self) -> None:
        # A read would block although Ctrl-C came after the prompt, if it came just before the read.
        before = signal.set_wakeup_fd(self._writer.fileno())
        try:
            sources: list[TextIO | socket.socket] = [standard_input(), self._reader]
            with contextlib.suppress(OSError):  # Windows cannot wait for a console
                select.select(sources, [], [])
        finally:
            signal.set_wakeup_fd(before)
