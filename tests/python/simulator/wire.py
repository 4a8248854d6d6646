"""A raw host on the module's port, which compares byte for byte."""

import os
import select
import socket
import termios
import tty
from collections.abc import Callable
from time import monotonic
from typing import Self

TIMEOUT = 30.0


class Wire:
    """The host's end of a simulated module's line, pseudo-terminal or TCP."""

    def __init__(self, port: str) -> None:
        self._unread = b""
        self._socket: socket.socket | None = None
        if port.startswith("socket://"):
            host, _, number = port.removeprefix("socket://").rpartition(":")
            self._socket = socket.create_connection((host, int(number)))
            self.file = self._socket.fileno()
        else:
            self.file = os.open(port, os.O_RDWR | os.O_NOCTTY)
            tty.setraw(self.file, termios.TCSANOW)  # TCSAFLUSH would drop pending input
        os.set_blocking(self.file, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        else:
            os.close(self.file)

    def send(self, data: bytes) -> None:
        """Write all bytes."""
        while data:
            _readable, writable, _ = select.select([], [self.file], [], TIMEOUT)
            assert writable, f"the module does not take {data!r}"
            data = data[os.write(self.file, data) :]

    def read(self, count: int) -> bytes:
        """Read exactly so many bytes."""
        return self._take(lambda: count if len(self._unread) >= count else None, f"{count} bytes")

    def read_until(self, end: bytes) -> bytes:
        """Read up to and including `end`."""

        def found() -> int | None:
            position = self._unread.find(end)
            return None if position < 0 else position + len(end)

        return self._take(found, repr(end))

    def read_chunk(self) -> bytes:
        """Return the bytes of one read."""
        assert not self._unread
        return self._receive("anything")

    def is_hung_up(self) -> bool:
        """Return whether the module has closed its end; waits for that or for bytes."""
        try:
            return self.read_chunk() == b""
        except OSError:
            return True

    def expect(self, expected: bytes) -> None:
        """Assert that these bytes come next."""
        assert self.read(len(expected)) == expected

    def ask(self, command: bytes, expected: bytes) -> None:
        """Send a command line and assert that these bytes come next."""
        self.send(command + b"\r")
        self.expect(expected)

    def ok(self, command: bytes) -> None:
        """Send a command line and assert the answer `OK`; needs echo off."""
        self.ask(command, b"\r\nOK\r\n")

    def enter(self, command: bytes, data: bytes, expected: bytes = b"\r\nOK\r\n") -> None:
        """Send a command line and answer its prompt with data; needs echo off."""
        self.ask(command, b"\r\n>")
        self.send(data)
        self.expect(expected)

    def expect_nothing(self) -> None:
        """Assert that no bytes come before the answer to the next command."""
        self.ok(b"AT")

    def _take(self, ready: Callable[[], int | None], wanted: str) -> bytes:
        end = monotonic() + TIMEOUT
        while (count := ready()) is None:
            assert monotonic() < end, f"waited for {wanted}, read {self._unread!r}"
            self._unread += self._receive(wanted)
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken

    def _receive(self, wanted: str) -> bytes:
        readable, _, _ = select.select([self.file], [], [], TIMEOUT)
        assert readable, f"waited for {wanted}, read {self._unread!r}"
        return os.read(self.file, 65_536)
