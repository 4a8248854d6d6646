"""The wire between module and host: buffers, pace and back-pressure for every transport."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from .event_loop import READ, WRITE, EventLoop, HasFileno, Timer
from .pacing import Pace, Paces, RandomPieces, UartPace

READ_SIZE: Final = 65_536
MOST_UNREAD: Final = 4096
"""A paced line stops reading from the operating system when it holds so many bytes."""

Received = Callable[[bytes], object]


class LineGoneError(Exception):
    """The host has closed its end."""


class Line(ABC):
    """The module's end of the wire.

    :param baud_rate: paces both directions; None: no pacing.
    :param seed: sends output in pieces of random length; None: whole.
    """

    def __init__(self, loop: EventLoop, baud_rate: int | None, seed: int | None) -> None:
        self._loop = loop
        self._pieces: list[Pace] = [] if seed is None else [RandomPieces(seed)]
        self._out = bytearray()
        self._out_timer: Timer | None = None
        self._in = bytearray()
        self._in_timer: Timer | None = None
        self._received: Received = _ignore
        self._host_came: Callable[[], object] = _nothing
        self._paused = False
        self._is_paced = baud_rate is not None
        self._next_baud_rate: int | None = None
        self._use_baud_rate(baud_rate)

    @property
    @abstractmethod
    def port(self) -> str:
        """The name that the host opens."""

    @property
    def waiting(self) -> int:
        """The number of bytes that wait for the host."""
        return len(self._out)

    def on_host_came(self, call: Callable[[], object]) -> None:
        """Set the function that is called when a host opens the port."""
        self._host_came = call

    def begin(self, received: Received) -> None:
        """Read the host's bytes from now on and pass them to `received`."""
        self._received = received
        self.plug()

    def write(self, data: bytes) -> None:
        """Send bytes to the host as soon as pace and host allow; without a host they are lost."""
        if not data or not self._has_host():
            return
        if not self._out:
            self._out_pace.begin(self._loop.now())
        self._out += data

    def flush(self) -> None:
        """Write as many waiting bytes as pace and operating system allow."""
        if not self._out and self._next_baud_rate is None:
            return
        while self._out and self._out_timer is None:
            now = self._loop.now()
            allowed = self._out_pace.allowance(len(self._out), now)
            if not allowed:
                due = self._out_pace.next_due(len(self._out))
                self._out_timer = self._loop.call_at(due, self._out_is_due)
                return
            try:
                written = self._send(bytes(self._out[:allowed]) if allowed < len(self._out) else self._out)
            except BlockingIOError:
                written = 0
            except LineGoneError:
                self._drop_host()
                return
            del self._out[:written]
            self._out_pace.passed(written, now)
            if written < allowed:
                self._out_pace.begin(now)
                break
        if not self._out and self._next_baud_rate is not None:
            self._use_baud_rate(self._next_baud_rate)
        self._watch()

    def pause(self, paused: bool) -> None:
        """Stop or resume reading from the host."""
        if paused != self._paused:
            self._paused = paused
            self._watch()

    def set_baud_rate(self, baud_rate: int) -> None:
        """Change the pace, if there is one, after the waiting bytes are out."""
        if self._is_paced:
            self._next_baud_rate = baud_rate
            self.flush()

    def discard(self) -> None:
        """Drop the waiting bytes."""
        self._out.clear()

    def unplug(self) -> None:
        """Remove the port; bytes on their way are lost."""
        self._drop_host()
        self._in.clear()
        self._remove()

    @abstractmethod
    def plug(self) -> None:
        """Put the port in place."""

    def close(self) -> None:
        """Flush and remove the port."""
        self.flush()
        self.unplug()

    @abstractmethod
    def close_files(self) -> None:
        """Close the files, without any effect on the other processes that have them open."""

    @abstractmethod
    def _host_end(self) -> HasFileno | int | None:
        """Return the file to read and write; None: there is none."""

    @abstractmethod
    def _has_host(self) -> bool:
        """Return whether a host has the port open."""

    @abstractmethod
    def _send(self, data: bytes | bytearray) -> int:
        """Write bytes and return how many were accepted."""

    @abstractmethod
    def _receive(self) -> bytes:
        """Read the available bytes."""

    @abstractmethod
    def _host_gone(self) -> None:
        """Clean up after the host closed its end."""

    @abstractmethod
    def _remove(self) -> None:
        """Remove the port."""

    def _drop_host(self) -> None:
        self._out.clear()
        end = self._host_end()
        if end is not None:
            self._loop.unwatch(end)
        self._host_gone()

    def _use_baud_rate(self, baud_rate: int | None) -> None:
        self._next_baud_rate = None
        paces = [] if baud_rate is None else [UartPace(baud_rate)]
        self._out_pace = Paces(*paces, *self._pieces)
        self._in_pace = Paces() if baud_rate is None else Paces(UartPace(baud_rate))

    def _out_is_due(self) -> None:
        self._out_timer = None
        self.flush()

    def _watch(self) -> None:
        end = self._host_end()
        if end is None:
            return
        reads = not self._paused and len(self._in) < MOST_UNREAD
        events = (READ if reads else 0) | (WRITE if self._out and self._out_timer is None else 0)
        if events:
            self._loop.watch(end, events, self._ready)
        else:
            self._loop.unwatch(end)

    def _ready(self, events: int) -> None:
        if events & WRITE:
            self.flush()
        if events & READ:
            self._read()

    def _read(self) -> None:
        try:
            data = self._receive()
        except BlockingIOError:
            return
        except LineGoneError:
            self._drop_host()
            return
        if not self._is_paced:
            self._received(data)
            return
        if not self._in:
            self._in_pace.begin(self._loop.now())
        self._in += data
        self._watch()
        if self._in_timer is None:
            self._pass_input()

    def _pass_input(self) -> None:
        self._in_timer = None
        now = self._loop.now()
        count = self._in_pace.allowance(len(self._in), now)
        if count and self._in[count - 1 : count + 1] == b"\r\n":
            count += 1  # the terminal treats LF as part of the line end only if it arrives with its CR
        data = bytes(self._in[:count])
        del self._in[:count]
        self._in_pace.passed(count, now)
        if self._in:
            self._in_timer = self._loop.call_at(self._in_pace.next_due(len(self._in)), self._pass_input)
        if data:
            self._received(data)
        self._watch()


def _ignore(_data: bytes) -> None:
    pass


def _nothing() -> None:
    pass
