"""The answer to one command: its parts leave in the order of the firmware profile."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .event_loop import EventLoop
from .faults import AnswerFaults, Faults, Gap, Stage
from .profiles import AnswerPart, Profile
from .result_codes import SUCCEEDED
from .terminal import Entered, Terminal

OK: Final = b"\r\nOK\r\n"
ERROR: Final = b"\r\nERROR\r\n"
CRLF: Final = b"\r\n"
_NUMBERS: Final = {OK: b"0\r", ERROR: b"4\r"}
"""The result codes after ATV0."""


def framed(text: str | bytes) -> bytes:
    """Return a line framed as CR LF text CR LF."""
    raw = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return b"\r\n" + raw + b"\r\n"


class Refused(Exception):  # noqa: N818 - a normal answer, not an error of the simulator
    """Refusal of a command with a result code; None is a bare `ERROR`."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class _Part:
    """Bytes of an answer and their stage."""

    stage: Stage
    data: bytes


@dataclass(frozen=True)
class _Gap:
    """A place where an armed fault can insert bytes."""

    name: Gap


_Step = _Part | _Gap | Callable[[], None]


class Answer:
    """The answer to one command line. Armed faults can delay, mute or replace its parts."""

    def __init__(
        self, loop: EventLoop, terminal: Terminal, profile: Profile, faults: Faults, command: str, key: str
    ) -> None:
        self._loop = loop
        self._terminal = terminal
        self._profile = profile
        self._faults = faults
        self._plan: AnswerFaults = faults.take_answer(key)
        self._generation = terminal.generation
        self._order = profile.order(command)
        self._steps: deque[_Step] = deque()
        self._is_waiting = False
        self._final_sent = False
        self._is_release_due = False
        self._has_information = False
        self._is_compact = key in profile.compact_answers
        self._next_gap: Gap | None = "echo_ok"
        self.command = command
        self.index: int | None = None
        """The client index in the result line; None: the line has none."""
        self.context_id: int | None = None
        """The PDP context after the code in the result line; None: the line has none."""
        self.failure: int | None = None
        """The result code that an armed fault forces on the operation."""

    def echo(self, data: bytes) -> None:
        """Send an echo that waited until the command was known."""
        if data:
            self._queue([_Part("echo", data)])

    def information(self, text: str | bytes) -> None:
        """Send an information line. No blank line separates it from the previous one."""
        line = framed(text)
        follows = self._has_information or not self._terminal.is_verbose
        self._has_information = True
        self._queue([*self._gap_before(), _Part("ok", line[len(CRLF) :] if follows else line)])

    def result_line(self, text: str) -> None:
        """Send a line that follows the final result code, such as `+NETOPEN: 0`."""
        self._queue([_Gap("ok_urc"), _Part("result", framed(text))])

    def ok(self) -> None:
        """Send `OK`."""
        self._queue(self._final(OK))

    def error(self) -> None:
        """Send a bare `ERROR`."""
        self._queue(self._final(ERROR))

    def final(self, text: str) -> None:
        """Send another final result code, such as `+CME ERROR: …`."""
        self._queue(self._final(framed(text)))

    def prompt(self, length: int, entered: Entered) -> None:
        """Send the prompt and take `length` bytes."""

        def data_entered(data: bytes) -> None:
            self._next_gap = "data_ok"
            entered(data)

        self._queue(
            [
                _Gap("before_prompt"),
                _Part("prompt", self._profile.prompt),
                _Gap("prompt_data"),
                lambda: self._terminal.enter_data(length, data_entered),
            ]
        )

    def refuse(self, code: int | None) -> None:
        """Refuse the command without starting an operation."""
        if code is None:
            self.error()
        else:
            self._queue(self._in_order(self._order.refusal, ERROR, code))

    def accept(self) -> None:
        """Start an operation: send `OK` now, unless this firmware holds the channel until the outcome."""
        if not self._order.is_held:
            self._queue([*self._final(OK), _Gap("ok_urc")])

    def conclude(self, code: int) -> None:
        """Send the outcome of an accepted operation."""
        if self._final_sent:
            self._queue([self._result(code)])
        elif code == SUCCEEDED:
            self._queue(self._in_order(self._order.success, OK, code))
        else:
            self._queue(self._in_order(self._order.failure, ERROR, code))

    def _in_order(self, parts: tuple[AnswerPart, ...], final: bytes, code: int) -> list[_Step]:
        steps = self._gap_before()
        for position, part in enumerate(parts):
            if position:
                steps.append(_Gap("ok_urc"))
            steps += self._final(final) if part == "final" else [self._result(code)]
        return steps

    def _final(self, data: bytes) -> list[_Step]:
        self._final_sent = True
        if not self._terminal.is_verbose:
            data = _NUMBERS.get(data, data)
        elif self._is_compact and self._has_information:
            data = data[len(CRLF) :]
        return [*self._gap_before(), _Part("ok", data), self._release_channel]

    def _result(self, code: int) -> _Part:
        index = "" if self.index is None else f"{self.index},"
        context = "" if self.context_id is None else f",{self.context_id}"
        return _Part("result", framed(f"+{self.command}: {index}{code}{context}"))

    def _gap_before(self) -> list[_Step]:
        gap, self._next_gap = self._next_gap, None
        return [] if gap is None else [_Gap(gap)]

    def _queue(self, steps: list[_Step]) -> None:
        self._steps += steps
        if not self._is_waiting:
            self._continue()

    def _continue(self) -> None:
        self._is_waiting = False
        while self._steps and not self._is_waiting:
            if self._terminal.generation != self._generation:
                self._steps.clear()  # the module has restarted in the meantime
                return
            self._do(self._steps[0])
        if self._is_release_due:
            self._is_release_due = False
            self._terminal.release()

    def _do(self, step: _Step) -> None:
        if isinstance(step, _Part):
            delay = self._plan.take_delay(step.stage)
            if delay:
                self._is_waiting = True
                self._loop.call_later(delay, self._continue)
                return
        self._steps.popleft()
        if isinstance(step, _Gap):
            self._terminal.write(self._faults.take_inserted(step.name))
        elif isinstance(step, _Part):
            if not self._plan.is_mute(step.stage):
                self._terminal.write(step.data)
        else:
            step()

    def _release_channel(self) -> None:
        # The release waits for the parts that are due now, so that the next answer cannot come between them.
        self._is_release_due = True
