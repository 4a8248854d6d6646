"""The registry of command handlers."""

from collections.abc import Callable
from typing import Final

from ..answer import Answer
from ..command_line import CommandLine, Form
from ..module import Module
from ..profiles import Profile

Handler = Callable[[Module, CommandLine, Answer], None]

_HANDLERS: Final[dict[tuple[str, Form], Handler]] = {}
_ONLY_WITH_TOPIC_LISTS: Final = frozenset({"CMQTTSUBTOPIC", "CMQTTUNSUBTOPIC"})


def command(name: str, *forms: Form) -> Callable[[Handler], Handler]:
    """Register a function for some forms of a command."""

    def register(handler: Handler) -> Handler:
        for form in forms:
            _HANDLERS[name, form] = handler
        return handler

    return register


def test_form(name: str, *ranges: str) -> None:
    """Register the `=?` form of a command: a line for each text; without texts just `OK`."""

    def show_ranges(module: Module, _line: CommandLine, answer: Answer) -> None:
        for text in ranges:
            answer.information(f"+{name}: {text.format(maximum_payload=module.profile.maximum_payload)}")
        answer.ok()

    _HANDLERS[name, Form.TEST] = show_ranges


def key_of(line: CommandLine) -> str:
    """Return the key of a command line for faults: `CMQTTPUB`, `CMQTTDISC?`, `CMQTTDISC=?`."""
    return line.name + (line.form.value if line.form in (Form.READ, Form.TEST) else "")


def command_key(command: str) -> str:
    """Return the key for faults from a command such as `CMQTTPUB`, `AT+CMQTTPUB`, `ATE0` or `CMQTTDISC?`.

    :raises ValueError: no firmware knows the command.
    """
    key = command.strip().upper().removeprefix("AT").removeprefix("+")
    name, form = key, None
    for candidate in (Form.TEST, Form.READ):
        if key.endswith(candidate.value):
            name, form = key.removesuffix(candidate.value), candidate
            break
    forms = {known for known_name, known in _HANDLERS if known_name == name}
    if not forms & ({form} if form else {Form.EXECUTE, Form.WRITE}):
        raise ValueError(f"command must be one that the module knows, such as CMQTTPUB, not {command!r}")
    return key


def find(line: CommandLine, profile: Profile) -> Handler | None:
    """Return the handler of a command line; None: this firmware does not know the command or the form."""
    if line.name in _ONLY_WITH_TOPIC_LISTS and not profile.has_topic_lists:
        return None
    return _HANDLERS.get((line.name, line.form))
