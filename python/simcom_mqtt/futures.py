"""The future of `MqttClient.publish_nowait`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future

from simcom_mqtt.errors import ClosedError

__all__ = ["PublishFuture", "finish", "finish_cancelled"]


class PublishFuture(Future[None]):
    """The result of `MqttClient.publish_nowait`.

    `cancel()` succeeds as long as nothing of the message was written to the module; it is then not sent.
    """

    _cancel_request: Callable[[], bool] | None = None
    """Set by the driver: removes the request from its queue; False if it was written or has ended."""

    def __init__(self) -> None:
        super().__init__()
        self._process = os.getpid()
        self._cancelling = threading.RLock()
        self._is_request_cancelled = False

    def cancel(self) -> bool:
        """Cancel the publish if its first byte was not written yet; return True if it is cancelled."""
        if os.getpid() != self._process:
            return self.cancelled()
        with self._cancelling:
            # Of several callers at once, the first cancels the request.
            if not self._is_request_cancelled and not self.done() and self._cancel_request is not None:
                self._is_request_cancelled = self._cancel_request()
        return self._is_request_cancelled and super().cancel()

    def result(self, timeout: float | None = None) -> None:
        """Wait for the result.

        ClosedError: in a forked child, which never gets it.
        """
        self._check_process()
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the exception; None: the publish succeeded.

        ClosedError: in a forked child, which never gets it.
        """
        self._check_process()
        return super().exception(timeout)

    def _check_process(self) -> None:
        if os.getpid() != self._process and not self.done():
            raise ClosedError("this is a forked child: only the parent gets the results of its publishes")


def finish(future: Future[None], error: BaseException | None) -> None:
    """Set the result of a future, unless it was cancelled."""
    if not future.set_running_or_notify_cancel():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def finish_cancelled(future: Future[None]) -> None:
    """Cancel a future whose request the driver has cancelled, and wake the threads that wait for it."""
    Future.cancel(future)
    future.set_running_or_notify_cancel()
