"""The futures of publishes that nobody waits for yet."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future

from simcom_mqtt.errors import ClosedError

__all__ = ["PublishFuture", "end", "withdrawn"]


class PublishFuture(Future[None]):
    """The result of `MqttClient.publish_nowait`.

    `cancel()` succeeds as long as nothing of the message was written to the module; it is then not sent.
    """

    _withdraw: Callable[[], bool] | None = None

    def __init__(self) -> None:
        super().__init__()
        self._process = os.getpid()
        self._cancelling = threading.RLock()
        self._taken_back = False

    def cancel(self) -> bool:
        """Take the message back if its first byte was not written yet; tells whether it was."""
        if os.getpid() != self._process:
            return self.cancelled()
        with self._cancelling:
            # Of several that ask, the message is taken back for the first only.
            if not self._taken_back and not self.done() and self._withdraw is not None:
                self._taken_back = self._withdraw()
        return self._taken_back and super().cancel()

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
            raise ClosedError(
                "this is a forked child, and only the parent hears what becomes of its publishes"
            )


def end(future: Future[None], error: BaseException | None) -> None:
    """Give a future its result, unless it was cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def withdrawn(future: Future[None]) -> None:
    """Tell those who wait for a future that its message was taken back."""
    Future.cancel(future)
    future.set_running_or_notify_cancel()
