"""The registry of command handlers."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from ..answer import Answer
from ..command_line import CommandLine, Form, parse_command_line
from ..module import Module
from ..profiles import Profile

Handler = Callable[[Module, CommandLine, Answer], None]
BasicHandler = Callable[[Module], Iterable[str]]
"""Carries out a basic command and returns its information lines."""

_HANDLERS: Final[dict[tuple[str, Form], Handler]] = {}
_BASIC_HANDLERS: Final[dict[str, BasicHandler]] = {}
_BASIC_COMMAND: Final = re.compile(r"[&\\]?[A-Z]\d*")
_ONLY_WITH_TOPIC_LISTS: Final = frozenset({"CMQTTSUBTOPIC", "CMQTTUNSUBTOPIC"})


def command(name: str, *forms: Form) -> Callable[[Handler], Handler]:
    """Register a function for some forms of a command."""

    def register(handler: Handler) -> Handler:
        for form in forms:
            _HANDLERS[name, form] = handler
        return handler

    return register


def basic_command(*names: str) -> Callable[[BasicHandler], BasicHandler]:
    """Register a function for basic commands such as `E0`."""

    def register(handler: BasicHandler) -> BasicHandler:
        _BASIC_HANDLERS.update(dict.fromkeys(names, handler))
        return handler

    return register


def test_form(name: str, *ranges: str) -> None:
    """Register the `=?` form of a command: a line for each text; without texts just `OK`."""

    def show_ranges(module: Module, _line: CommandLine, answer: Answer) -> None:
        for text in ranges:
            shown = text.format(
                maximum_payload=module.profile.maximum_payload,
                shortest_timeout=module.profile.shortest_timeout,
            )
            answer.information(f"+{name}: {shown}")
        answer.ok()

    _HANDLERS[name, Form.TEST] = show_ranges


def key_of(line: CommandLine) -> str:
    """Return the key of a command line for faults: `CMQTTPUB`, `CMQTTDISC?`, `CMQTTDISC=?`.

    The key of several basic commands in one line is the first of them.
    """
    if line.is_basic:
        return next(iter(_BASIC_COMMAND.findall(line.name)), "")
    return line.name + (line.form.value if line.form in (Form.READ, Form.TEST) else "")


def command_key(command: str) -> str:
    """Return the key for faults from a command such as `CMQTTPUB`, `AT+CMQTTPUB`, `ATE0` or `CMQTTDISC?`.

    :raises ValueError: no firmware knows the command.
    """
    text = command.strip().upper().removeprefix("AT").removeprefix("+")
    line = parse_command_line(f"AT{text}".encode())
    if line is None or not line.is_basic or _basic_handlers(line) is None:
        line = parse_command_line(f"AT+{text}".encode())
    if line is None or not _is_known(line):
        raise ValueError(f"command must be one that the module knows, such as CMQTTPUB, not {command!r}")
    return key_of(line)


def find(line: CommandLine, profile: Profile) -> Handler | None:
    """Return the handler of a command line; None: this firmware does not know the command or the form."""
    if line.name in _ONLY_WITH_TOPIC_LISTS and not profile.has_topic_lists:
        return None
    if line.is_basic:
        return None if _basic_handlers(line) is None else _carry_out_basic_commands
    return _HANDLERS.get((line.name, line.form))


def _is_known(line: CommandLine) -> bool:
    if line.is_basic:
        return True
    forms = (Form.EXECUTE, Form.WRITE) if line.form is Form.EXECUTE else (line.form,)
    return any((line.name, form) in _HANDLERS for form in forms)


def _basic_handlers(line: CommandLine) -> list[BasicHandler] | None:
    names = _BASIC_COMMAND.findall(line.name)
    handlers = [_BASIC_HANDLERS[name] for name in names if name in _BASIC_HANDLERS]
    return handlers if len(handlers) == len(names) and "".join(names) == line.name else None


def _carry_out_basic_commands(module: Module, line: CommandLine, answer: Answer) -> None:
    for handler in _basic_handlers(line) or ():
        for text in handler(module):
            answer.information(text)
    answer.ok()
