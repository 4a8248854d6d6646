"""A line between module and driver that splits the module's output, loses bytes and alters bytes."""

import os
import select
import threading
import tty
from collections.abc import Callable
from typing import Self

from simcom_mqtt import SimcomMqtt

# Seconds between two checks if a piece was read: there is no event for that, and the reader needs the CPU.
LOOK_AGAIN = 0.00005
# Long output begins with larger pieces: otherwise a busy machine would take minutes.
MOST_PIECES = 512


class SplitLine:
    """A pseudo-terminal in front of the module's port, while the `with` block runs.

    After `read_by`, each piece is sent only when the one before was read, so each piece is one read.
    """

    def __init__(self, port: str, piece: int = 4096) -> None:
        self._piece = piece
        self._module = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(self._module)
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._stop_reader, self._stop_writer = os.pipe()
        self._pending = bytearray()
        self._sent = 0
        self._bytes_read: Callable[[], int] | None = None
        self._losses: list[tuple[bytes, int]] = []
        self._losing = 0
        self._alteration: tuple[bytes, int, bytes] | None = None
        self._thread = threading.Thread(target=self._relay)

    @property
    def port(self) -> str:
        return os.ttyname(self._slave)

    def read_by(self, modem: SimcomMqtt) -> None:
        """Splits the output into pieces from now on."""
        self._bytes_read = lambda: modem.stats.bytes_in

    def lose_data_of(self, command: bytes, count: int) -> None:
        """Loses this many bytes that the host sends after the next line that begins with `command`."""
        self._losses.append((command, count))

    def alter_answer(self, beginning: bytes, at: int, replacement: bytes) -> None:
        """Replaces the byte at offset `at` in the next output that begins with `beginning`."""
        self._alteration = beginning, at, replacement

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._stop_writer)
        self._thread.join()
        for descriptor in (self._stop_reader, self._master, self._slave, self._module):
            os.close(descriptor)

    def _relay(self) -> None:
        sources = [self._master, self._module, self._stop_reader]
        while True:
            readable, _, _ = select.select(sources, [], [], LOOK_AGAIN if self._pending else None)
            if self._stop_reader in readable:
                return
            if self._master in readable:
                self._pass_to_module(os.read(self._master, 65_536))
            if self._module in readable:
                self._pending += os.read(self._module, 65_536)
                self._alter()
            if self._pending:
                self._pass_to_host()

    def _alter(self) -> None:
        if self._alteration is None:
            return
        beginning, offset, replacement = self._alteration
        start = self._pending.find(beginning)
        if start >= 0 and len(self._pending) > start + offset:
            self._pending[start + offset : start + offset + 1] = replacement
            self._alteration = None

    def _pass_to_host(self) -> None:
        if self._bytes_read is None:
            piece = bytes(self._pending)
        elif self._bytes_read() < self._sent:
            return
        else:
            size = max(self._piece, len(self._pending) // MOST_PIECES)
            piece = bytes(self._pending[:size])
        written = os.write(self._master, piece)
        self._sent += written
        del self._pending[:written]

    def _pass_to_module(self, data: bytes) -> None:
        lost = min(self._losing, len(data))
        self._losing -= lost
        data = data[lost:]
        for loss in self._losses:
            command, count = loss
            start = data.find(command)
            end = data.find(b"\r", start) + 1
            if start >= 0 and end:
                self._losses.remove(loss)
                self._losing = count - len(data[end : end + count])
                data = data[:end] + data[end + count :]
                break
        while data:
            data = data[os.write(self._module, data) :]
