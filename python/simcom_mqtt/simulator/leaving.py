"""What a script forgot to close is closed at its end, while the threads that do it still run."""

import atexit
import weakref
from typing import Protocol


class Closable(Protocol):
    """Anything with a thread that ends on `close()`."""

    def close(self) -> None:
        """Give everything back. Can be called again."""


_open: weakref.WeakSet[Closable] = weakref.WeakSet()


def close_at_exit(forgotten: Closable) -> None:
    """Close it when the interpreter exits, unless it is gone by then."""
    _open.add(forgotten)


@atexit.register
def _close_all() -> None:
    for forgotten in list(_open):
        forgotten.close()
