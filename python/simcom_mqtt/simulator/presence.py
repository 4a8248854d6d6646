"""Who has a file open: the kernel's own word on whether a host is on the pseudo-terminal."""

import contextlib
import ctypes
import os
import struct
from typing import Final, Protocol

_CLOSED: Final = 0x08 | 0x10  # IN_CLOSE_WRITE | IN_CLOSE_NOWRITE
_OPENED: Final = 0x20  # IN_OPEN
_EVENT: Final = struct.Struct("iIII")


class Presence(Protocol):
    """Knows whether anybody has the file open."""

    def fileno(self) -> int:
        """Return what becomes readable when that changes; negative if nothing does."""

    def update(self) -> None:
        """Take note of who opened or closed the file meanwhile."""

    def is_present(self) -> bool:
        """Return whether somebody has the file open."""

    def close(self) -> None:
        """Look no more."""


class InotifyPresence:
    """Counts opens and closes of a file since it was made, through Linux' inotify."""

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
        """Return what becomes readable when somebody opens or closes the file."""
        return self._file

    def update(self) -> None:
        """Take note of who opened or closed the file meanwhile."""
        with contextlib.suppress(BlockingIOError):
            while events := os.read(self._file, 4096):
                self._count_events(events)

    def is_present(self) -> bool:
        """Return whether somebody has the file open."""
        if not self._count:
            self.update()  # whoever has just opened it must not miss a byte
        return self._count > 0

    def close(self) -> None:
        """Look no more."""
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


class AssumedPresence:
    """Where nothing tells: somebody is always there."""

    def fileno(self) -> int:
        """Return that nothing becomes readable."""
        return -1

    def update(self) -> None:
        """Do nothing."""

    def is_present(self) -> bool:
        """Return that somebody is there."""
        return True

    def close(self) -> None:
        """Do nothing."""


def watch_presence(path: str) -> Presence:
    """Return who knows whether anybody has `path` open, from now on."""
    try:
        return InotifyPresence(path)
    except (OSError, AttributeError):
        return AssumedPresence()
