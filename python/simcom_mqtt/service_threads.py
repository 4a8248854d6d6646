"""What the two threads of an open module do: take work from Rust, and run it.

In Python, so that no Rust frame lies below the code of others: an interpreter that goes down ends its daemon
threads where they are, and the process aborts if that is inside Rust.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

__all__ = ["Source", "serve"]

_logger = logging.getLogger("simcom_mqtt")


class Source(Protocol):
    """Where a thread gets its work."""

    def take(self) -> tuple[Sequence[Callable[..., object]], tuple[object, ...]] | None:
        """Wait for what is to be called, each with the same arguments; None at the end."""

    def failed(self, error: BaseException) -> bool:
        """Hear what a call raised, and tell whether to log it."""


def serve(source: Source) -> None:
    """Run what the source gives, until it has no more."""
    while True:
        try:
            if not _serve_once(source):
                return
        except BaseException:
            # The thread goes on whatever a log handler does.
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


def _serve_once(source: Source) -> bool:
    # A function of its own, so that nothing is held while the next work is waited for.
    work = source.take()
    if work is None:
        return False
    functions, arguments = work
    for function in functions:
        try:
            function(*arguments)
        except BaseException as error:
            # Without this frame, which would keep what was delivered alive.
            error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
            if source.failed(error):
                _logger.error("a callback raised an exception", exc_info=error)
    return True
