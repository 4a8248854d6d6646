"""The futures of publishes that nobody waits for yet."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future

__all__ = ["PublishFuture"]


class PublishFuture(Future[None]):
    """The result of `MqttClient.publish_nowait`.

    `cancel()` succeeds as long as nothing of the message was written to the module; it is then not sent.
    """

    _withdraw: Callable[[], bool] | None = None

    def cancel(self) -> bool:
        """Take the message back if its first byte was not written yet; tells whether it was."""
        if self.cancelled():
            return True
        if self.done() or self._withdraw is None or not self._withdraw():
            return False
        return super().cancel()
