"""A line on a pseudo-terminal with a constant name."""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import termios
import tty
from pathlib import Path

from .event_loop import READ, EventLoop
from .host_detection import HostDetection, detect_host
from .line import READ_SIZE, Line, LineGoneError


class PtyLine(Line):
    """A pseudo-terminal; `port` is a symbolic link to it that survives `unplug` and `plug`."""

    def __init__(self, loop: EventLoop, baud_rate: int | None, seed: int | None) -> None:
        super().__init__(loop, baud_rate, seed)
        self._directory = tempfile.mkdtemp(prefix="simcom-mqtt-")
        self._link = Path(self._directory, "tty")
        self._terminal: _Terminal | None = None
        try:
            self._open()
        except OSError:
            self._remove_directory()
            raise

    @property
    def port(self) -> str:
        """The path of the link."""
        return str(self._link)

    def plug(self) -> None:
        """Create the pseudo-terminal and the link."""
        terminal = self._open() if self._terminal is None else self._terminal
        if terminal.host_detection.fileno() >= 0:
            self._loop.watch(terminal.host_detection, READ, self._host_changed)
        else:
            self._host_came()
        self._watch()

    def close(self) -> None:
        """Close the pseudo-terminal and remove the link."""
        super().close()
        self._remove_directory()

    def close_files(self) -> None:
        """Close both ends of the pseudo-terminal."""
        if self._terminal is not None:
            self._terminal.close()

    def _remove_directory(self) -> None:
        shutil.rmtree(self._directory, ignore_errors=True)

    def _open(self) -> "_Terminal":
        terminal = _Terminal()
        self._link.symlink_to(terminal.path)
        self._terminal = terminal
        return terminal

    def _host_changed(self, _events: int) -> None:
        terminal = self._terminal
        if terminal is None:
            return
        terminal.host_detection.update()
        if terminal.host_detection.is_present():
            self._host_came()
            return
        self._out.clear()
        terminal.reset_after_close()

    def _host_end(self) -> int | None:
        return None if self._terminal is None else self._terminal.master

    def _has_host(self) -> bool:
        return self._terminal is not None and self._terminal.host_detection.is_present()

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
        pass  # the pseudo-terminal stays for the next host

    def _remove(self) -> None:
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            self._loop.unwatch(terminal.host_detection)
            terminal.close()
            # At the exit of the process the folder may be removed already.
            self._link.unlink(missing_ok=True)


class _Terminal:
    """A raw pseudo-terminal. The slave stays open here too: a host that closes it does not hang up."""

    def __init__(self) -> None:
        self.master, self._slave = os.openpty()
        os.set_blocking(self.master, False)
        tty.setraw(self._slave, termios.TCSANOW)
        self.path = os.ttyname(self._slave)
        self.host_detection: HostDetection = detect_host(self.path)

    def reset_after_close(self) -> None:
        """Reset the terminal like the last close of a real port: drop unread bytes and exclusive use."""
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(self._slave, termios.TCIFLUSH)
            fcntl.ioctl(self._slave, termios.TIOCNXCL)
            tty.setraw(self._slave, termios.TCSANOW)

    def close(self) -> None:
        """Close both ends."""
        self.host_detection.close()
        os.close(self.master)
        os.close(self._slave)
