"""The module's terminal: characters in; echo, command lines and entered data out."""

from collections.abc import Callable
from typing import Final

from .faults import Faults
from .line import Line
from .profiles import Profile

LONGEST_LINE: Final = 3071
MOST_UNREAD: Final = 65_536
TOO_LONG: Final = b"(a line of more than 3071 characters)"
CR: Final = b"\r"
LF: Final = b"\n"

Entered = Callable[[bytes], object]
Execute = Callable[[bytes, bytes], object]
"""Called with a command line, and with the part of it that is not echoed yet."""


class Terminal:
    """Splits the host's bytes into command lines and prompted data.

    After a command line the terminal is busy until `release`; later bytes wait.
    """

    def __init__(self, line: Line, profile: Profile, faults: Faults) -> None:
        self._line = line
        self._profile = profile
        self._faults = faults
        self._execute: Execute = _ignore
        self._input = bytearray()
        self._command = bytearray()
        self._echoed = 0
        self._is_overlong = False
        self._after_cr = False
        self._busy = False
        self._is_processing = False
        self._missing = 0
        self._entry = bytearray()
        self._entered: Entered | None = None
        self.echo = True
        self.is_verbose = True
        """ATV1: result codes are words."""
        self.generation = 0
        """The number of resets: a reset ends the answers that began before it."""

    def on_command(self, execute: Execute) -> None:
        """Set the function that executes command lines."""
        self._execute = execute

    def reset(self) -> None:
        """Drop unfinished input and switch the echo on."""
        self.generation += 1
        self._input.clear()
        self._command.clear()
        self._entry.clear()
        self._echoed = 0
        self._is_overlong = self._after_cr = self._busy = False
        self._missing = 0
        self._entered = None
        self.echo = True
        self._line.pause(False)

    def feed(self, data: bytes) -> None:
        """Process bytes from the host."""
        self._input += data
        self._process()

    def write(self, data: bytes) -> None:
        """Send bytes to the host."""
        self._line.write(data)

    def release(self) -> None:
        """Accept the next command: the current one has its final result code."""
        self._busy = False
        self._process()

    def enter_data(self, length: int, entered: Entered) -> None:
        """Read the next `length` bytes as data."""
        self._missing = length
        self._entered = entered
        self._after_cr = False
        self._process()

    def _process(self) -> None:
        if self._is_processing:
            return
        self._is_processing = True
        try:
            while self._input:
                if self._entered is not None:
                    self._take_data(self._entered)
                elif self._busy:
                    break
                else:
                    self._take_characters()
        finally:
            self._is_processing = False
        self._line.pause(len(self._input) > MOST_UNREAD)

    def _take_data(self, entered: Entered) -> None:
        taken = bytes(self._input[: self._missing])
        del self._input[: self._missing]
        self._missing -= len(taken)
        self._entry += taken
        if self.echo and self._profile.echoes_data:
            self.write(taken)
        if self._missing:
            return
        data = bytes(self._entry)
        self._entry.clear()
        self._entered = None
        entered(data)

    def _take_characters(self) -> None:
        if self._after_cr:
            self._after_cr = False
            if self._input[:1] == LF:
                del self._input[:1]
                return
        if not self._command:
            self.write(self._faults.take_inserted("before_echo"))
        end = self._input.find(CR)
        taken = self._input if end < 0 else self._input[: end + 1]
        self._command += taken
        del self._input[: len(taken)]
        if self.echo and not self._faults.concern_echo:
            self.write(bytes(self._command[self._echoed :]))
            self._echoed = len(self._command)
        if end >= 0:
            self._end_line()
        elif len(self._command) > LONGEST_LINE:
            self._is_overlong = True
            self._command.clear()
            self._echoed = 0

    def _end_line(self) -> None:
        # LF belongs to this CR only if it has arrived already: after a prompt it would be data.
        if self._input[:1] == LF:
            del self._input[:1]
        else:
            self._after_cr = True
        unechoed = bytes(self._command[self._echoed :]) if self.echo else b""
        line = bytes(self._command[:-1])
        self._command.clear()
        self._echoed = 0
        if self._is_overlong or len(line) > LONGEST_LINE:
            self._is_overlong = False
            line = TOO_LONG
        if not line.strip():
            self.write(unechoed)
            return
        self._busy = True
        self._execute(line, unechoed)


def _ignore(_line: bytes, _unechoed: bytes) -> None:
    pass
