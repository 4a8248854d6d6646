"""The futures of operations."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from simcom_mqtt.errors import ClosedError

__all__ = ["OperationFuture", "PublishFuture", "cancelled", "end"]

T = TypeVar("T")


class OperationFuture(Future[T]):
    """The result of a method that was submitted instead of called."""

    _interrupt: Callable[[], None] | None = None

    def interrupt(self) -> None:
        """Ask the driver to end the operation, as Ctrl-C ends a blocking call. The future ends soon."""
        if self._interrupt is not None:
            self._interrupt()


class PublishFuture(Future[None]):
    """The result of `MqttClient.publish_nowait`.

    `cancel()` succeeds as long as nothing of the message was written to the module; it is then not sent.
    """

    _cancel_unwritten: Callable[[], bool] | None = None

    def __init__(self) -> None:
        super().__init__()
        self._process = os.getpid()
        self._cancelling = threading.RLock()
        self._is_cancelled = False

    def cancel(self) -> bool:
        """Cancel the publish unless its first byte was written. Returns whether it is cancelled."""
        if os.getpid() != self._process:
            return self.cancelled()
        with self._cancelling:
            # The driver can cancel the publish for the first of several callers only.
            if not self._is_cancelled and not self.done() and self._cancel_unwritten is not None:
                self._is_cancelled = self._cancel_unwritten()
        return self._is_cancelled and super().cancel()

    def result(self, timeout: float | None = None) -> None:
        """Wait for the result; `ClosedError` in a forked child, where it cannot come any more."""
        self._check_process()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the exception, None if there is none; `ClosedError` in a forked child."""
        self._check_process()
        return super().exception(timeout)

    def _check_process(self) -> None:
        if os.getpid() != self._process and not self.done():
            raise ClosedError("this is a forked child, and only the parent gets the results of its publishes")


def end(future: Future[T], value: T, error: BaseException | None) -> None:
    """Give a future its result, unless it was cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    if error is None:
        future.set_result(value)
    else:
        future.set_exception(error)


def cancelled(future: Future[T]) -> None:
    """End the future of a publish that was cancelled."""
    Future.cancel(future)
    future.set_running_or_notify_cancel()
