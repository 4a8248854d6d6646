"""A conversation with the module: AT commands from standard input, and what it says unasked."""

import sys
from collections.abc import Iterator

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
    lines = _lines()
    for line in lines:
        try:
            for answer in _answers(modem, line, lines):
                say(without_password(answer))
            if sys.stdin.isatty():
                say("OK", "green")
        except (PortError, ClosedError):
            raise
        except (SimcomError, ValueError) as error:
            remark(f"Error: {error}")
            all_well = False
    return all_well


def _answers(modem: SimcomMqtt, line: str, lines: Iterator[str]) -> list[str]:
    try:
        return modem.command(line)
    except ValueError as error:
        # The driver knows which commands ask for data, and refuses them before a byte is written.
        if "prompt" not in str(error):
            raise
    return modem.command(line, _read(DATA_PROMPT) if sys.stdin.isatty() else next(lines, ""))


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
    if not sys.stdin.isatty():
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\r\n")
    return input(prompt)


def _show(message: Message) -> None:
    say(f"{message.topic} {message.payload.decode('utf-8', 'backslashreplace')}")
