"""The wire between the module and its host: a pseudo-terminal or a TCP port, written with back-pressure."""

import errno
import os
import socket
import tempfile
import termios
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from .engine import READ, WRITE, Engine

READ_SIZE: Final = 65_536
Received = Callable[[bytes], object]


def _ignore(_data: bytes) -> None:
    pass


class Line(Protocol):
    """One end of the wire: the module's."""

    @property
    def port(self) -> str:
        """What the host opens."""

    @property
    def waiting(self) -> int:
        """How many bytes the host has not taken yet."""

    def begin(self, received: Received) -> None:
        """Read the host's bytes from now on, and hand them to `received`."""

    def write(self, data: bytes) -> None:
        """Send bytes to the host, as soon as it takes them."""

    def flush(self) -> None:
        """Hand to the operating system what it takes now."""

    def pause(self, paused: bool) -> None:
        """Leave the host's bytes unread for a while, or read on."""

    def close(self) -> None:
        """Give everything back."""


class PtyLine:
    """A pseudo-terminal; `port` is a link to it that keeps its name for the module's life."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._received: Received = _ignore
        self._out = bytearray()
        self._paused = False
        self._directory = tempfile.TemporaryDirectory(prefix="simcom-mqtt-")
        self._link = Path(self._directory.name, "tty")
        # The slave stays open here too: a host that closes the port must not hang up the master.
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        tty.setraw(self._slave, termios.TCSANOW)
        self._link.symlink_to(os.ttyname(self._slave))

    @property
    def port(self) -> str:
        """The path of the link."""
        return str(self._link)

    @property
    def waiting(self) -> int:
        """How many bytes the host has not taken yet."""
        return len(self._out)

    def begin(self, received: Received) -> None:
        """Read the host's bytes from now on, and hand them to `received`."""
        self._received = received
        self._watch()

    def write(self, data: bytes) -> None:
        """Send bytes to the host, as soon as it takes them."""
        self._out += data

    def flush(self) -> None:
        """Hand to the operating system what it takes now."""
        if not self._out:
            return
        try:
            written = os.write(self._master, self._out)
        except BlockingIOError:
            written = 0
        del self._out[:written]
        self._watch()

    def pause(self, paused: bool) -> None:
        """Leave the host's bytes unread for a while, or read on."""
        if paused != self._paused:
            self._paused = paused
            self._watch()

    def close(self) -> None:
        """Close the pseudo-terminal and remove the link."""
        self._engine.unwatch(self._master)
        os.close(self._master)
        os.close(self._slave)
        self._directory.cleanup()

    def _watch(self) -> None:
        events = (0 if self._paused else READ) | (WRITE if self._out else 0)
        if events:
            self._engine.watch(self._master, events, self._ready)
        else:
            self._engine.unwatch(self._master)

    def _ready(self, events: int) -> None:
        if events & READ:
            self._read()
        if events & WRITE:
            self.flush()

    def _read(self) -> None:
        try:
            data = os.read(self._master, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno == errno.EIO:
                return
            raise
        self._received(data)


class TcpLine:
    """A TCP port on the loopback interface, raw bytes as ser2net serves them.

    A new connection replaces the former.
    """

    def __init__(self, engine: Engine, port: int = 0) -> None:
        self._engine = engine
        self._received: Received = _ignore
        self._out = bytearray()
        self._paused = False
        self._host: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.setblocking(False)

    @property
    def port(self) -> str:
        """`socket://127.0.0.1:<port>`."""
        return f"socket://127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def waiting(self) -> int:
        """How many bytes the host has not taken yet."""
        return len(self._out)

    def begin(self, received: Received) -> None:
        """Read the host's bytes from now on, and hand them to `received`."""
        self._received = received
        self._engine.watch(self._listener, READ, self._accept)

    def write(self, data: bytes) -> None:
        """Send bytes to the host; without a connection they go nowhere, as on a loose cable."""
        if self._host is not None:
            self._out += data

    def flush(self) -> None:
        """Hand to the operating system what it takes now."""
        if self._host is None or not self._out:
            return
        try:
            written = self._host.send(self._out)
        except BlockingIOError:
            written = 0
        except OSError:
            self._hang_up()
            return
        del self._out[:written]
        self._watch()

    def pause(self, paused: bool) -> None:
        """Leave the host's bytes unread for a while, or read on."""
        if paused != self._paused:
            self._paused = paused
            self._watch()

    def close(self) -> None:
        """Close the connection and the port."""
        self._hang_up()
        self._engine.unwatch(self._listener)
        self._listener.close()

    def _accept(self, _events: int) -> None:
        try:
            host, _address = self._listener.accept()
        except OSError:
            return  # it was gone before it was accepted
        self._hang_up()
        host.setblocking(False)
        host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._host = host
        self._watch()

    def _hang_up(self) -> None:
        self._out.clear()
        if self._host is not None:
            self._engine.unwatch(self._host)
            self._host.close()
            self._host = None

    def _watch(self) -> None:
        if self._host is None:
            return
        events = (0 if self._paused else READ) | (WRITE if self._out else 0)
        if events:
            self._engine.watch(self._host, events, self._ready)
        else:
            self._engine.unwatch(self._host)

    def _ready(self, events: int) -> None:
        if events & READ:
            self._read()
        if events & WRITE:
            self.flush()

    def _read(self) -> None:
        if self._host is None:
            return
        try:
            data = self._host.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._hang_up()
            return
        self._received(data)
