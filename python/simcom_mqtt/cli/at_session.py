"""A conversation with the module: AT commands from standard input, and what it says unasked."""

import contextlib
import select
import signal
import socket
import sys
from collections.abc import Iterator

import click

from simcom_mqtt import ClosedError, Message, PortError, SimcomError, SimcomMqtt

from .masking import without_password
from .screen import remark, say

PROMPT = "AT session> "
DATA_PROMPT = "> "


def talk(modem: SimcomMqtt) -> bool:
    """Run each line as an AT command until the input ends; return whether all of them went well."""
    modem.on_urc = lambda line: say(without_password(line))
    modem.on_message = _show
    all_well = True
    for line in _lines():
        try:
            for answer in _answers(modem, line):
                say(without_password(answer))
            if sys.stdin.isatty():
                say("OK", "green")
        except (PortError, ClosedError):
            raise
        except (SimcomError, ValueError) as error:
            remark(f"Error: {error}")
            all_well = False
    return all_well


def _answers(modem: SimcomMqtt, line: str) -> list[str]:
    try:
        return modem.command(line)
    except ValueError as error:
        # The driver knows which commands ask for data, and refuses them before a byte is written.
        if "prompt" not in str(error):
            raise
    return modem.command(line, _data())


def _data() -> str:
    try:
        return _read(DATA_PROMPT)
    except EOFError:
        return ""


def _lines() -> Iterator[str]:
    while True:
        try:
            line = _read(PROMPT)
        except EOFError:
            return
        if line.strip():
            yield line.strip()


def _read(prompt: str) -> str:
    """A line of the input; only a person sees the prompt."""
    if sys.stdin.isatty():
        click.echo(prompt, nl=False)
        _wait_for_a_line_or_a_signal()
    line = sys.stdin.readline()
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


def _wait_for_a_line_or_a_signal() -> None:
    # A read alone blocks on when Ctrl-C comes after the prompt and just before it.
    reader, writer = socket.socketpair()
    with reader, writer:
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno())
        try:
            with contextlib.suppress(OSError):  # Windows cannot wait for a console
                select.select([sys.stdin, reader], [], [])
        finally:
            signal.set_wakeup_fd(before)


def _show(message: Message) -> None:
    say(f"{message.topic} {message.payload.decode('utf-8', 'backslashreplace')}")
