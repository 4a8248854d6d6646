"""A conversation with the module: AT commands from standard input, and what it says unasked."""

import contextlib
import logging
import re
import select
import signal
import socket
from collections.abc import Iterator
from typing import Final, Self, TextIO

import click

from simcom_mqtt import ClosedError, Message, PortError, SimcomError, SimcomMqtt

from .masking import without_password
from .screen import remark, say, standard_input

RESULT: Final = re.compile(
    r"< (?P<line>\+(?P<name>CMQTT(?:START|STOP|CONNECT|DISC|PUB|SUB|UNSUB|CONNLOST|NONET))"
    r"(?:: \d+(?:,\d+)?)?)"
)
PROMPT = "AT session> "
DATA_PROMPT = "> "


def talk(modem: SimcomMqtt) -> bool:
    """Run each line as an AT command until the input ends; return whether all of them went well."""
    modem.on_urc = lambda line: say(without_password(line))
    modem.on_message = _show
    results = _Results()
    results.attach()
    try:
        with _Input() as lines:
            return _run_lines(modem, lines, results)
    finally:
        results.detach()


def _run_lines(modem: SimcomMqtt, lines: "_Input", results: "_Results") -> bool:
    all_well = True
    for line in lines.commands():
        results.command = line
        try:
            for answer in _answers(modem, lines, line):
                say(without_password(answer))
            if standard_input().isatty():
                say("OK", "green")
        except (PortError, ClosedError):
            raise
        except (SimcomError, ValueError) as error:
            remark(f"Error: {error}")
            all_well = False
    return all_well


class _Results(logging.Handler):
    """Shows the results of MQTT commands, which the driver takes for itself."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.command = ""
        self._logger = logging.getLogger("simcom_mqtt.at")

    def attach(self) -> None:
        """Have each line both ways."""
        self._logger.propagate = self._logger.isEnabledFor(logging.DEBUG)
        self._logger.addHandler(self)
        self._logger.setLevel(logging.DEBUG)

    def detach(self) -> None:
        """Leave the log as it was."""
        self._logger.removeHandler(self)
        self._logger.setLevel(logging.NOTSET)
        self._logger.propagate = True

    def emit(self, record: logging.LogRecord) -> None:
        """Show a result, unless it is a line of what was asked for."""
        result = RESULT.fullmatch(record.getMessage())
        if result and f"{result['name']}?" not in self.command.upper():
            say(result["line"])


class _Input:
    """Lines of standard input; a signal ends the wait for one."""

    def __enter__(self) -> Self:
        # Once, before a prompt invites to Ctrl-C, which would leave a half-made pair behind.
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        return self

    def __exit__(self, *exc: object) -> None:
        self._reader.close()
        self._writer.close()

    def commands(self) -> Iterator[str]:
        """Each line that is not blank."""
        while True:
            try:
                line = self._read(PROMPT)
            except EOFError:
                return
            if line.strip():
                yield line.strip()

    def data(self) -> str:
        """What a command asks for at its prompt."""
        try:
            return self._read(DATA_PROMPT)
        except EOFError:
            return ""

    def _read(self, prompt: str) -> str:
        # Only a person sees the prompt.
        if standard_input().isatty():
            click.echo(prompt, nl=False)
            self._wait_for_a_line_or_a_signal()
        line = standard_input().readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")

    def _wait_for_a_line_or_a_signal(self) -> None:
        # A read alone blocks on when Ctrl-C comes after the prompt and just before it.
        before = signal.set_wakeup_fd(self._writer.fileno())
        try:
            sources: list[TextIO | socket.socket] = [standard_input(), self._reader]
            with contextlib.suppress(OSError):  # Windows cannot wait for a console
                select.select(sources, [], [])
        finally:
            signal.set_wakeup_fd(before)


def _answers(modem: SimcomMqtt, lines: _Input, line: str) -> list[str]:
    try:
        return modem.command(line)
    except ValueError as error:
        # The driver knows which commands ask for data, and refuses them before a byte is written.
        if "prompt" not in str(error):
            raise
    return modem.command(line, lines.data())


def _show(message: Message) -> None:
    say(f"{message.topic} {message.payload.decode('utf-8', 'backslashreplace')}")
