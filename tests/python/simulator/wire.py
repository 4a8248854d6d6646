"""A host that knows nothing of AT commands: raw bytes on the module's port, compared byte for byte."""

import os
import select
import socket
import termios
import tty
from collections.abc import Callable
from time import monotonic
from typing import Self

PATIENCE = 30.0


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
            tty.setraw(self.file, termios.TCSANOW)  # what is there already is not to be dropped
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
        """Write all of it."""
        while data:
            _readable, writable, _ = select.select([], [self.file], [], PATIENCE)
            assert writable, f"the module does not take {data!r}"
            data = data[os.write(self.file, data) :]

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        return self._take(lambda: count if len(self._unread) >= count else None, f"{count} bytes")

    def read_until(self, end: bytes) -> bytes:
        """Everything up to and including `end`."""

        def found() -> int | None:
            position = self._unread.find(end)
            return None if position < 0 else position + len(end)

        return self._take(found, repr(end))

    def read_chunk(self) -> bytes:
        """What one read gives."""
        assert not self._unread
        return self._receive("anything")

    def expect(self, expected: bytes) -> None:
        """The next bytes are these."""
        assert self.read(len(expected)) == expected

    def ask(self, command: bytes, expected: bytes) -> None:
        """Send a command line; the next bytes are these."""
        self.send(command + b"\r")
        self.expect(expected)

    def ok(self, command: bytes) -> None:
        """Send a command line that is answered `OK`, with echo off."""
        self.ask(command, b"\r\nOK\r\n")

    def enter(self, command: bytes, data: bytes, expected: bytes = b"\r\nOK\r\n") -> None:
        """Send a command line, answer its prompt with data, with echo off."""
        self.ask(command, b"\r\n>")
        self.send(data)
        self.expect(expected)

    def fence(self) -> None:
        """Nothing is on its way: the answer to the next command comes at once."""
        self.ok(b"AT")

    def _take(self, ready: Callable[[], int | None], wanted: str) -> bytes:
        end = monotonic() + PATIENCE
        while (count := ready()) is None:
            assert monotonic() < end, f"waited for {wanted}, read {self._unread!r}"
            self._unread += self._receive(wanted)
        taken, self._unread = self._unread[:count], self._unread[count:]
        return taken

    def _receive(self, wanted: str) -> bytes:
        readable, _, _ = select.select([self.file], [], [], PATIENCE)
        assert readable, f"waited for {wanted}, read {self._unread!r}"
        return os.read(self.file, 65_536)
