"""What one command is answered with, part by part, in the order of the firmware profile."""

from collections.abc import Callable
from typing import Final

from .profiles import AnswerPart, Profile
from .result_codes import SUCCEEDED
from .terminal import Entered, Terminal

OK: Final = b"\r\nOK\r\n"
ERROR: Final = b"\r\nERROR\r\n"


def framed(text: str | bytes) -> bytes:
    """Return a line as the module frames it: CR LF text CR LF."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return b"\r\n" + raw + b"\r\n"


class Refused(Exception):  # noqa: N818 - an answer, not an error of the simulator
    """The command is refused with a result code; None is a bare `ERROR`."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class Answer:
    """The answer to one command line."""

    def __init__(self, terminal: Terminal, profile: Profile, command: str) -> None:
        self._terminal = terminal
        self._profile = profile
        self._order = profile.order(command)
        self._final_sent = False
        self.command = command
        self.index: int | None = None
        """The client index that the result line names, if it names one."""
        self.context_id: int | None = None
        """The PDP context that the result line names after the code, if it names one."""

    def information(self, text: str | bytes) -> None:
        """Send an information line."""
        self._terminal.write(framed(text))

    def ok(self) -> None:
        """Send `OK`."""
        self._final(OK)

    def error(self) -> None:
        """Send a bare `ERROR`."""
        self._final(ERROR)

    def final(self, text: str) -> None:
        """Send another final result code, such as `+CME ERROR: …`."""
        self._final(framed(text))

    def prompt(self, length: int, entered: Entered) -> None:
        """Send the prompt and take `length` bytes."""
        self._terminal.write(self._profile.prompt)
        self._terminal.enter_data(length, entered)

    def refuse(self, code: int | None) -> None:
        """Say at once that the command is not carried out."""
        if code is None:
            self.error()
            return
        self._in_order(self._order.refusal, ERROR, code)

    def accept(self) -> None:
        """Begin an operation: `OK` at once, unless this firmware holds the channel until the outcome."""
        if not self._order.is_held:
            self.ok()

    def conclude(self, code: int) -> None:
        """Tell the outcome of an accepted operation."""
        if self._final_sent:
            self._result(code)
        elif code == SUCCEEDED:
            self._in_order(self._order.success, OK, code)
        else:
            self._in_order(self._order.failure, ERROR, code)

    def _in_order(self, parts: tuple[AnswerPart, ...], final: bytes, code: int) -> None:
        send: dict[AnswerPart, Callable[[], None]] = {
            "final": lambda: self._final(final),
            "result": lambda: self._result(code),
        }
        for part in parts:
            send[part]()

    def _final(self, data: bytes) -> None:
        self._final_sent = True
        self._terminal.write(data)
        self._terminal.release()

    def _result(self, code: int) -> None:
        index = "" if self.index is None else f"{self.index},"
        context = "" if self.context_id is None else f",{self.context_id}"
        self._terminal.write(framed(f"+{self.command}: {index}{code}{context}"))
