"""A wire made of a pseudo-terminal, under a name that stays the same."""

import contextlib
import errno
import fcntl
import os
import tempfile
import termios
import tty
from collections.abc import Callable
from pathlib import Path

from .engine import READ, Engine
from .line import READ_SIZE, Line, LineGoneError
from .presence import Presence, watch_presence


class PtyLine(Line):
    """A pseudo-terminal; `port` is a link to it, the same after `unplug` and `plug`."""

    def __init__(self, engine: Engine, baud_rate: int | None, seed: int | None) -> None:
        super().__init__(engine, baud_rate, seed)
        self._directory = tempfile.TemporaryDirectory(prefix="simcom-mqtt-")
        self._link = Path(self._directory.name, "tty")
        self._terminal: _Terminal | None = None
        self._host_came: Callable[[], object] = _nothing
        try:
            self._open()
        except OSError:
            self._directory.cleanup()
            raise

    @property
    def port(self) -> str:
        """The path of the link."""
        return str(self._link)

    def on_host_came(self, call: Callable[[], object]) -> None:
        """Have a call made when a host opens the port."""
        self._host_came = call

    def plug(self) -> None:
        """Put a pseudo-terminal where the link points."""
        terminal = self._open() if self._terminal is None else self._terminal
        if terminal.presence.fileno() >= 0:
            self._engine.watch(terminal.presence, READ, self._host_came_or_went)
        else:
            self._host_came()
        self._watch()

    def close(self) -> None:
        """Close the pseudo-terminal and remove the link."""
        super().close()
        self._directory.cleanup()

    def _open(self) -> "_Terminal":
        terminal = _Terminal()
        self._link.symlink_to(terminal.path)
        self._terminal = terminal
        return terminal

    def _host_came_or_went(self, _events: int) -> None:
        terminal = self._terminal
        if terminal is None:
            return
        terminal.presence.update()
        if terminal.presence.is_present():
            self._host_came()
            return
        self._out.clear()
        terminal.forget_host()

    def _host_end(self) -> int | None:
        return None if self._terminal is None else self._terminal.master

    def _has_host(self) -> bool:
        return self._terminal is not None and self._terminal.presence.is_present()

    def _send(self, data: bytes | bytearray) -> int:
        if self._terminal is None:
            raise LineGoneError
        return os.write(self._terminal.master, data)

    def _receive(self) -> bytes:
        if self._terminal is None:
            raise LineGoneError
        try:
            return os.read(self._terminal.master, READ_SIZE)
        except OSError as error:
            if error.errno == errno.EIO:
                raise LineGoneError from error
            raise

    def _host_gone(self) -> None:
        pass  # the pseudo-terminal stays for the next one

    def _remove(self) -> None:
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            self._engine.unwatch(terminal.presence)
            terminal.close()
            # At the end of the process the folder may be gone already.
            self._link.unlink(missing_ok=True)


class _Terminal:
    """A raw pseudo-terminal, its slave open here too: a host that closes it must not hang up the master."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        os.set_blocking(self.master, False)
        tty.setraw(self._slave, termios.TCSANOW)
        self.path = os.ttyname(self._slave)
        self.presence: Presence = watch_presence(self.path)

    def forget_host(self) -> None:
        """Do what the last close of a real port does: drop what was not read, and exclusive use."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._slave, termios.TCIFLUSH)
            fcntl.ioctl(self._slave, termios.TIOCNXCL)
            tty.setraw(self._slave, termios.TCSANOW)

    def close(self) -> None:
        """Hang up on everybody."""
        self.presence.close()
        os.close(self.master)
        os.close(self._slave)


def _nothing() -> None:
    pass
