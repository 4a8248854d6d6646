"""Closes modules and replays at the exit of the interpreter, while their threads still run."""

import atexit
import weakref
from typing import Protocol


class Closable(Protocol):
    """An object whose `close()` ends a thread."""

    def close(self) -> None:
        """Close everything. Can be called again."""


_open: weakref.WeakSet[Closable] = weakref.WeakSet()


def close_at_exit(unclosed: Closable) -> None:
    """Close an object when the interpreter exits, unless it was collected before."""
    _open.add(unclosed)


@atexit.register
def _close_all() -> None:
    for unclosed in list(_open):
        unclosed.close()
