"""`Replay` plays the module's half of a recorded transcript on a port."""

import warnings
from os import PathLike
from types import TracebackType
from typing import Final, Self

from .event_loop import EventLoop, Timer, logger
from .exit_hook import close_at_exit
from .line import Line
from .masking import printable
from .transcript import Element, read_transcript
from .transport import Transport, open_line

LONGEST_PAUSE: Final = 190.0
"""The longest pause, in seconds: longer than any timeout of driver and module."""


class Replay:
    """Plays the module's half of a recorded transcript, to repeat a field failure on the desk.

    The module's bytes follow the host's bytes as recorded, after the recorded pause. Masked spans match
    anything that the host sends, and are sent as `*`. Another line from the host is not answered, and a
    WARNING names the line that was expected.

    :param transcript: the file that the driver wrote with `transcript=`.
    :param speed: how many times faster than recorded.
    :param transport: `"pty"` or `"tcp"`; None: a pseudo-terminal if the system has any, else TCP.
    :raises OSError: the file cannot be read.
    :raises ValueError: the file is no transcript.
    """

    def __init__(
        self, transcript: str | PathLike[str], *, speed: float = 1.0, transport: Transport = None
    ) -> None:
        self._is_closed = True
        if speed <= 0:
            raise ValueError(f"speed must be positive, not {speed}")
        elements = read_transcript(transcript)
        self._loop = EventLoop("replay")
        try:
            self._line = open_line(self._loop, transport)
        except OSError:
            self._loop.stop()
            raise
        self._player = _Player(self._loop, self._line, elements, speed)
        self._loop.call(self._player.begin)
        self._is_closed = False
        close_at_exit(self)

    @property
    def port(self) -> str:
        """The port to pass to `SimcomMqtt`."""
        return self._line.port

    @property
    def is_finished(self) -> bool:
        """True at the end of the transcript."""
        return self._player.is_finished

    def close(self) -> None:
        """Close everything. Can be called again."""
        if self._is_closed:
            return
        self._is_closed = True
        self._loop.call(self._line.close)
        self._loop.stop()

    def close_in_child(self) -> None:
        """Close the files in a forked child. The module runs on in the parent."""
        self._is_closed = True
        self._line.close_files()
        self._loop.close_in_child()

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
    """Sends and expects the elements of the transcript in turn, on the thread of the loop."""

    def __init__(self, loop: EventLoop, line: Line, elements: list[Element], speed: float) -> None:
        self._loop = loop
        self._line = line
        self._elements = elements
        self._speed = speed
        self._position = 0
        self._time = 0.0
        self._input = bytearray()
        self._pause: Timer | None = None

    @property
    def is_finished(self) -> bool:
        """True at the end of the transcript."""
        return self._position == len(self._elements)

    def begin(self) -> None:
        """Start when a host opens the port."""
        self._loop.before_each_wait(self._line.flush)
        self._line.on_host_came(self._continue)
        self._line.begin(self._receive)

    def _receive(self, data: bytes) -> None:
        self._input += data
        self._continue()

    def _continue(self) -> None:
        while not self.is_finished and self._pause is None:
            element = self._elements[self._position]
            if element.from_host:
                if not self._match_host(element):
                    return
                self._next(element)
                continue
            pause = min(element.time - self._time, LONGEST_PAUSE) / self._speed
            if pause > 0:
                self._pause = self._loop.call_later(pause, self._send)
            else:
                self._send()

    def _send(self) -> None:
        self._pause = None
        element = self._elements[self._position]
        self._line.write(element.data)
        self._next(element)
        self._continue()

    def _next(self, element: Element) -> None:
        self._time = element.time
        self._position += 1

    def _match_host(self, element: Element) -> bool:
        """Match the host's bytes with an element; other lines are logged and dropped."""
        while True:
            end = self._end_of(element)
            if end is None:
                return False
            sent = bytes(self._input[:end])
            del self._input[:end]
            if element.matches(sent):
                return True
            logger.warning("expected %s from the host, not %s", printable(element.data), printable(sent))
            if element.kind != "line":
                return True  # the number of bytes is right: the module would have accepted them

    def _end_of(self, element: Element) -> int | None:
        length = len(element.data)
        if element.kind != "line" or self._input[:length] == element.data:
            return length if len(self._input) >= length else None
        end = self._input.find(element.data[-1:])
        return None if end < 0 else end + 1
