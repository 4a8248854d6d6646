"""The futures of publishes that nobody waits for yet."""

from __future__ import annotations

import os
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

    def cancel(self) -> bool:
        """Take the message back if its first byte was not written yet; tells whether it was."""
        if self.cancelled():
            return True
        if self.done() or self._withdraw is None or not self._withdraw():
            return False
        return super().cancel()

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
