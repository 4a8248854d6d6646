"""Answers that a test sets for a command, with `SimulatedModem.answer`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .answer import Answer
from .command_line import CommandLine, Form, parse_command_line
from .event_loop import logger

Lines = Iterable[str] | Callable[[str], Iterable[str]]
"""Information lines, or a function that returns them for a command line."""


@dataclass(frozen=True)
class TaughtAnswer:
    """The information lines and the final result code of a command."""

    lines: Lines
    final: str

    def send(self, answer: Answer, command: str) -> None:
        """Send the answer to a command line; without a final result code the channel stays busy."""
        try:
            lines = list(self.lines(command) if callable(self.lines) else self.lines)
        except Exception:
            logger.exception("the function that answers %s failed", command)
            answer.error()
            return
        for line in lines:
            answer.information(line)
        if self.final == "OK":
            answer.ok()
        elif self.final:
            answer.final(self.final)


class TaughtAnswers:
    """All answers that a test has set, by command and form."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, Form | None], TaughtAnswer] = {}

    def set(self, command: str, answer: TaughtAnswer) -> None:
        """Set the answer to a command: `AT+XYZ` in all forms, or one form, such as `AT+XYZ?` or `AT+XYZ=`.

        :raises ValueError: the text is no AT command.
        """
        line = parse_command_line(command.encode("utf-8", "surrogateescape"))
        if line is None or not command.isprintable():
            raise ValueError(f"command must be an AT command such as AT+XYZ, not {command!r}")
        form = None if line.form is Form.EXECUTE else line.form
        self._answers[line.name, form] = answer

    def clear(self) -> None:
        """Drop all answers."""
        self._answers.clear()

    def find(self, line: CommandLine) -> TaughtAnswer | None:
        """Return the answer to a command line; None: none is set."""
        return self._answers.get((line.name, line.form)) or self._answers.get((line.name, None))
