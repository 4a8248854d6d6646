"""The loop of the two Python threads of an open module: takes calls from Rust, and runs them.

In Python, so that no Rust frame lies below a user's callback: an interpreter that shuts down ends its daemon
threads where they are, and unwinding through a Rust frame aborts the process.
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
    """The Rust side of a thread."""

    def take(self) -> tuple[Sequence[Callable[..., object]], tuple[object, ...]] | None:
        """Wait for the next functions and their common arguments; None: the thread ends."""

    def failed(self, error: BaseException) -> bool:
        """Take the exception of a call; return True if it shall be logged."""


def serve(source: Source) -> None:
    """Run the calls of a source until it ends."""
    while True:
        try:
            if not _serve_once(source):
                return
        except BaseException:
            # The thread survives a log handler that raises.
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread())))


def _serve_once(source: Source) -> bool:
    # A separate function, so that no local variable keeps a message alive during the next wait.
    work = source.take()
    if work is None:
        return False
    functions, arguments = work
    for function in functions:
        try:
            function(*arguments)
        except BaseException as error:
            # Without this frame, whose variables would keep the message alive.
            error.with_traceback(error.__traceback__ and error.__traceback__.tb_next)
            if source.failed(error):
                _logger.error("a callback raised an exception", exc_info=error)
    return True
