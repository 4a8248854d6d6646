"""What one command is answered with, part by part, in the order of the firmware profile."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from .engine import Engine
from .faults import AnswerFaults, Faults, Gap, Stage
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


@dataclass(frozen=True)
class _Part:
    """Bytes of an answer, and the stage they belong to."""

    stage: Stage
    data: bytes


@dataclass(frozen=True)
class _Gap:
    """A place where an armed fault can put other bytes."""

    name: Gap


_Step = _Part | _Gap | Callable[[], None]


class Answer:
    """The answer to one command line: its parts are sent in order, as the armed faults let them."""

    def __init__(
        self, engine: Engine, terminal: Terminal, profile: Profile, faults: Faults, command: str, key: str
    ) -> None:
        self._engine = engine
        self._terminal = terminal
        self._profile = profile
        self._faults = faults
        self._suffers: AnswerFaults = faults.take_answer(key)
        self._generation = terminal.generation
        self._order = profile.order(command)
        self._steps: deque[_Step] = deque()
        self._is_waiting = False
        self._final_sent = False
        self._is_release_due = False
        self._next_gap: Gap | None = "echo_ok"
        self.command = command
        self.index: int | None = None
        """The client index that the result line names, if it names one."""
        self.context_id: int | None = None
        """The PDP context that the result line names after the code, if it names one."""
        self.failure: int | None = None
        """The result code that a fault gives the operation, whatever its outcome."""

    def echo(self, data: bytes) -> None:
        """Send an echo that had to wait until the command was known."""
        if data:
            self._take([_Part("echo", data)])

    def information(self, text: str | bytes) -> None:
        """Send an information line."""
        self._take([*self._gap_before(), _Part("ok", framed(text))])

    def ok(self) -> None:
        """Send `OK`."""
        self._take(self._final(OK))

    def error(self) -> None:
        """Send a bare `ERROR`."""
        self._take(self._final(ERROR))

    def final(self, text: str) -> None:
        """Send another final result code, such as `+CME ERROR: …`."""
        self._take(self._final(framed(text)))

    def prompt(self, length: int, entered: Entered) -> None:
        """Send the prompt and take `length` bytes."""

        def data_entered(data: bytes) -> None:
            self._next_gap = "data_ok"
            entered(data)

        self._take(
            [
                _Gap("before_prompt"),
                _Part("prompt", self._profile.prompt),
                _Gap("prompt_data"),
                lambda: self._terminal.enter_data(length, data_entered),
            ]
        )

    def refuse(self, code: int | None) -> None:
        """Say at once that the command is not carried out."""
        if code is None:
            self.error()
        else:
            self._take(self._in_order(self._order.refusal, ERROR, code))

    def accept(self) -> None:
        """Begin an operation: `OK` at once, unless this firmware holds the channel until the outcome."""
        if not self._order.is_held:
            self._take([*self._final(OK), _Gap("ok_urc")])

    def conclude(self, code: int) -> None:
        """Tell the outcome of an accepted operation."""
        if self._final_sent:
            self._take([self._result(code)])
        elif code == SUCCEEDED:
            self._take(self._in_order(self._order.success, OK, code))
        else:
            self._take(self._in_order(self._order.failure, ERROR, code))

    def _in_order(self, parts: tuple[AnswerPart, ...], final: bytes, code: int) -> list[_Step]:
        steps = self._gap_before()
        for position, part in enumerate(parts):
            if position:
                steps.append(_Gap("ok_urc"))
            steps += self._final(final) if part == "final" else [self._result(code)]
        return steps

    def _final(self, data: bytes) -> list[_Step]:
        self._final_sent = True
        return [*self._gap_before(), _Part("ok", data), self._free_the_channel]

    def _result(self, code: int) -> _Part:
        index = "" if self.index is None else f"{self.index},"
        context = "" if self.context_id is None else f",{self.context_id}"
        return _Part("result", framed(f"+{self.command}: {index}{code}{context}"))

    def _gap_before(self) -> list[_Step]:
        gap, self._next_gap = self._next_gap, None
        return [] if gap is None else [_Gap(gap)]

    def _take(self, steps: list[_Step]) -> None:
        self._steps += steps
        if not self._is_waiting:
            self._go_on()

    def _go_on(self) -> None:
        self._is_waiting = False
        while self._steps and not self._is_waiting:
            if self._terminal.generation != self._generation:
                self._steps.clear()  # the module has restarted meanwhile
                return
            self._do(self._steps[0])
        if self._is_release_due:
            self._is_release_due = False
            self._terminal.release()

    def _do(self, step: _Step) -> None:
        if isinstance(step, _Part):
            delay = self._suffers.take_delay(step.stage)
            if delay:
                self._is_waiting = True
                self._engine.call_later(delay, self._go_on)
                return
        self._steps.popleft()
        if isinstance(step, _Gap):
            self._terminal.write(self._faults.take_inserted(step.name))
        elif isinstance(step, _Part):
            if not self._suffers.is_mute(step.stage):
                self._terminal.write(step.data)
        else:
            step()

    def _free_the_channel(self) -> None:
        # Only after what else is due now: the next command's answer must not come between.
        self._is_release_due = True
