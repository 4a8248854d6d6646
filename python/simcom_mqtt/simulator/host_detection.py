"""Detects whether a host has the pseudo-terminal open."""

import contextlib
import ctypes
import os
import struct
from typing import Final, Protocol

_CLOSED: Final = 0x08 | 0x10  # IN_CLOSE_WRITE | IN_CLOSE_NOWRITE
_OPENED: Final = 0x20  # IN_OPEN
_EVENT: Final = struct.Struct("iIII")


class HostDetection(Protocol):
    """Tells whether a host has the file open."""

    def fileno(self) -> int:
        """Return a file that becomes readable when a host opens or closes; negative: there is none."""

    def update(self) -> None:
        """Read the pending events."""

    def is_present(self) -> bool:
        """Return whether a host has the file open."""

    def close(self) -> None:
        """End the detection."""


class InotifyHostDetection:
    """Counts the opens and closes of a file with inotify of Linux."""

    def __init__(self, path: str) -> None:
        self._count = 0
        libc = ctypes.CDLL(None, use_errno=True)
        self._file: int = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._file < 0:
            raise OSError(ctypes.get_errno(), "cannot watch the pseudo-terminal")
        if libc.inotify_add_watch(self._file, os.fsencode(path), _CLOSED | _OPENED) < 0:
            error = ctypes.get_errno()
            self.close()
            raise OSError(error, f"cannot watch {path}")

    def fileno(self) -> int:
        """Return the file of inotify."""
        return self._file

    def update(self) -> None:
        """Read the pending events."""
        with contextlib.suppress(BlockingIOError):
            while events := os.read(self._file, 4096):
                self._count_events(events)

    def is_present(self) -> bool:
        """Return whether a host has the file open."""
        if not self._count:
            self.update()  # a host that has just opened the file must not miss a byte
        return self._count > 0

    def close(self) -> None:
        """End the detection."""
        os.close(self._file)

    def _count_events(self, events: bytes) -> None:
        position = 0
        while position < len(events):
            _watch, mask, _cookie, length = _EVENT.unpack_from(events, position)
            position += _EVENT.size + length
            if mask & _OPENED:
                self._count += 1
            elif mask & _CLOSED:
                self._count -= 1


class AssumedHost:
    """Assumes a host at all times, on systems without inotify."""

    def fileno(self) -> int:
        """Return that there is no such file."""
        return -1

    def update(self) -> None:
        """Do nothing."""

    def is_present(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Do nothing."""


def detect_host(path: str) -> HostDetection:
    """Return the detection for `path`, from now on."""
    try:
        return InotifyHostDetection(path)
    except (OSError, AttributeError):
        return AssumedHost()
