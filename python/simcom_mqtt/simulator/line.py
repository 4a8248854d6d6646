"""The wire between the module and its host: buffers, pace and back-pressure, whatever the wire is made of."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from .engine import READ, WRITE, Engine, HasFileno, Timer
from .pacing import Pace, Paces, RandomPieces, UartPace

READ_SIZE: Final = 65_536
MOST_UNREAD: Final = 4096
"""A paced line leaves the host's bytes in the operating system's buffer when it has so many of them."""

Received = Callable[[bytes], object]


class LineGoneError(Exception):
    """The host has closed its end."""


class Line(ABC):
    """One end of the wire: the module's.

    :param baud_rate: paces both directions; None: as fast as it goes.
    :param seed: what the module says leaves in pieces of random length; None: whole.
    """

    def __init__(self, engine: Engine, baud_rate: int | None, seed: int | None) -> None:
        self._engine = engine
        self._pieces: list[Pace] = [] if seed is None else [RandomPieces(seed)]
        self._out = bytearray()
        self._out_timer: Timer | None = None
        self._in = bytearray()
        self._in_timer: Timer | None = None
        self._received: Received = _ignore
        self._paused = False
        self._is_paced = baud_rate is not None
        self._next_baud_rate: int | None = None
        self._use_baud_rate(baud_rate)

    @property
    @abstractmethod
    def port(self) -> str:
        """What the host opens."""

    @property
    def waiting(self) -> int:
        """How many bytes the host has not taken yet."""
        return len(self._out)

    def begin(self, received: Received) -> None:
        """Read the host's bytes from now on, and hand them to `received`."""
        self._received = received
        self.plug()

    def write(self, data: bytes) -> None:
        """Send bytes to the host as soon as pace and host let them; without a host they are lost."""
        if not data or not self._has_host():
            return
        if not self._out:
            self._out_pace.begin(self._engine.now())
        self._out += data

    def flush(self) -> None:
        """Hand to the operating system what may pass and what it takes."""
        if not self._out and self._next_baud_rate is None:
            return
        while self._out and self._out_timer is None:
            now = self._engine.now()
            allowed = self._out_pace.allowance(len(self._out), now)
            if not allowed:
                due = self._out_pace.next_due(len(self._out))
                self._out_timer = self._engine.call_at(due, self._out_is_due)
                return
            try:
                written = self._send(bytes(self._out[:allowed]) if allowed < len(self._out) else self._out)
            except BlockingIOError:
                written = 0
            except LineGoneError:
                self._lose_host()
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
        """Leave the host's bytes unread for a while, or read on."""
        if paused != self._paused:
            self._paused = paused
            self._watch()

    def set_baud_rate(self, baud_rate: int) -> None:
        """Change the pace, if there is one, once everything said before is out."""
        if self._is_paced:
            self._next_baud_rate = baud_rate
            self.flush()

    def discard(self) -> None:
        """Drop what is waiting to leave."""
        self._out.clear()

    def unplug(self) -> None:
        """Take the port away; what is on its way is lost."""
        self._lose_host()
        self._in.clear()
        self._remove()

    @abstractmethod
    def plug(self) -> None:
        """Put the port in place."""

    def close(self) -> None:
        """Give everything back."""
        self.flush()
        self.unplug()

    @abstractmethod
    def _host_end(self) -> HasFileno | int | None:
        """Return what is read and written, if there is something."""

    @abstractmethod
    def _has_host(self) -> bool:
        """Return whether somebody is there to hear."""

    @abstractmethod
    def _send(self, data: bytes | bytearray) -> int:
        """Send what is taken now."""

    @abstractmethod
    def _receive(self) -> bytes:
        """Read what is there."""

    @abstractmethod
    def _host_gone(self) -> None:
        """Do what is due when the host has closed its end."""

    @abstractmethod
    def _remove(self) -> None:
        """Take the port away."""

    def _lose_host(self) -> None:
        self._out.clear()
        end = self._host_end()
        if end is not None:
            self._engine.unwatch(end)
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
            self._engine.watch(end, events, self._ready)
        else:
            self._engine.unwatch(end)

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
            self._lose_host()
            return
        if not self._is_paced:
            self._received(data)
            return
        if not self._in:
            self._in_pace.begin(self._engine.now())
        self._in += data
        self._watch()
        if self._in_timer is None:
            self._let_in()

    def _let_in(self) -> None:
        self._in_timer = None
        now = self._engine.now()
        count = self._in_pace.allowance(len(self._in), now)
        if count and self._in[count - 1 : count + 1] == b"\r\n":
            count += 1  # the terminal takes a line feed that comes with its CR for part of the line end
        data = bytes(self._in[:count])
        del self._in[:count]
        self._in_pace.passed(count, now)
        if self._in:
            self._in_timer = self._engine.call_at(self._in_pace.next_due(len(self._in)), self._let_in)
        if data:
            self._received(data)
        self._watch()


def _ignore(_data: bytes) -> None:
    pass
