"""Closes modules and replays at the exit of the interpreter, and their files in a forked child."""

import atexit
import os
import weakref
from typing import Protocol


class Closable(Protocol):
    """An object whose `close()` ends a thread."""

    def close(self) -> None:
        """Close everything. Can be called again."""

    def close_in_child(self) -> None:
        """Close the files that a forked child has inherited: its copy has no thread."""


_open: weakref.WeakSet[Closable] = weakref.WeakSet()


def close_at_exit(unclosed: Closable) -> None:
    """Close an object when the interpreter exits, unless it was collected before.

    In a forked child only its files are closed. Open in the child, a pseudo-terminal would stay plugged.
    """
    _open.add(unclosed)


@atexit.register
def _close_all() -> None:
    for unclosed in list(_open):
        unclosed.close()


def _close_all_in_child() -> None:
    for unclosed in list(_open):
        unclosed.close_in_child()
    _open.clear()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_close_all_in_child)
