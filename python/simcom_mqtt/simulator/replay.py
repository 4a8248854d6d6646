"""`Replay`: the module's half of a recorded transcript, played back on a pseudo-terminal."""

import warnings
from os import PathLike
from types import TracebackType
from typing import Final, Self

from .engine import Engine, Timer, logger
from .leaving import close_at_exit
from .masking import printable
from .pty_line import PtyLine
from .transcript import Element, read_transcript

LONGEST_SILENCE: Final = 190.0
"""Silences are cut to this, in seconds: longer than any time-out of driver and module."""


class Replay:
    """The module's half of a recorded transcript, on a pseudo-terminal: a field failure on the desk.

    What the module said comes after what the host had said before it, with the pause that was recorded.
    Masked spans match anything the host sends, and are played back as `*`. A line that the host did not send
    then is not answered, and a WARNING says what was expected instead.

    :param transcript: the file that the driver wrote with `transcript=`.
    :param speed: how many times faster than recorded.
    :raises OSError: the file cannot be read.
    :raises ValueError: the file is no transcript.
    """

    def __init__(self, transcript: str | PathLike[str], *, speed: float = 1.0) -> None:
        self._is_closed = True
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed}")
        elements = read_transcript(transcript)
        self._engine = Engine("replay")
        try:
            self._line = PtyLine(self._engine, None, None)
        except OSError:
            self._engine.stop()
            raise
        self._player = _Player(self._engine, self._line, elements, speed)
        self._engine.call(self._player.begin)
        self._is_closed = False
        close_at_exit(self)

    @property
    def port(self) -> str:
        """What `SimcomMqtt(port)` takes."""
        return self._line.port

    @property
    def is_finished(self) -> bool:
        """Whether everything in the transcript has been said."""
        return self._player.is_finished

    def close(self) -> None:
        """Give everything back. Can be called again."""
        if self._is_closed:
            return
        self._is_closed = True
        self._engine.call(self._line.close)
        self._engine.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        if not self._is_closed:
            warnings.warn(f"unclosed replay on {self.port}", ResourceWarning, stacklevel=2, source=self)
            self.close()


class _Player:
    """Takes turns with the host, as the transcript has it; lives on the loop's thread."""

    def __init__(self, engine: Engine, line: PtyLine, elements: list[Element], speed: float) -> None:
        self._engine = engine
        self._line = line
        self._elements = elements
        self._speed = speed
        self._position = 0
        self._time = 0.0
        self._input = bytearray()
        self._pause: Timer | None = None

    @property
    def is_finished(self) -> bool:
        """Whether the transcript is at its end."""
        return self._position == len(self._elements)

    def begin(self) -> None:
        """Play from the moment that a host opens the port."""
        self._engine.after_each_turn(self._line.flush)
        self._line.on_host_came(self._go_on)
        self._line.begin(self._receive)

    def _receive(self, data: bytes) -> None:
        self._input += data
        self._go_on()

    def _go_on(self) -> None:
        while not self.is_finished and self._pause is None:
            element = self._elements[self._position]
            if element.from_host:
                if not self._host_said(element):
                    return
                self._next(element)
                continue
            silence = min(element.time - self._time, LONGEST_SILENCE) / self._speed
            if silence > 0:
                self._pause = self._engine.call_later(silence, self._say)
            else:
                self._say()

    def _say(self) -> None:
        self._pause = None
        element = self._elements[self._position]
        self._line.write(element.data)
        self._next(element)
        self._go_on()

    def _next(self, element: Element) -> None:
        self._time = element.time
        self._position += 1

    def _host_said(self, element: Element) -> bool:
        """Take from the host what an element says; what else came is told and dropped, line by line."""
        while True:
            end = self._end_of(element)
            if end is None:
                return False
            said = bytes(self._input[:end])
            del self._input[:end]
            if element.matches(said):
                return True
            logger.warning("expected %s from the host, not %s", printable(element.data), printable(said))
            if element.kind != "line":
                return True  # the count was right: the module would have taken these bytes

    def _end_of(self, element: Element) -> int | None:
        length = len(element.data)
        if element.kind != "line" or self._input[:length] == element.data:
            return length if len(self._input) >= length else None
        end = self._input.find(element.data[-1:])
        return None if end < 0 else end + 1
