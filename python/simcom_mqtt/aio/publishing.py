"""Publishes need no thread: their results come as futures."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import Future
from typing import Final

from simcom_mqtt._native import MqttClient
from simcom_mqtt.errors import OutcomeUnknownError
from simcom_mqtt.types import Payload, QoS, Topic

__all__ = ["PublishQueue", "result_of"]

MOST_QUEUED: Final = 1000
"""Publishes of a client that wait in the driver; the next call of `publish_nowait` blocks."""


class PublishQueue:
    """Submits the publishes of a client to the driver, in order, without blocking the event loop."""

    def __init__(self, client: MqttClient) -> None:
        self._client = client
        self._room = asyncio.Semaphore(MOST_QUEUED)

    async def submit(
        self, topic: Topic, payload: Payload, qos: QoS, *, retain: bool, dup: bool, timeout: float
    ) -> Future[None]:
        """Return the driver's future, once the publish is queued there."""
        await self._room.acquire()
        loop = asyncio.get_running_loop()

        def leave(_future: Future[None]) -> None:
            # A closed loop has no task that waits for room.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._room.release)

        try:
            future = self._client.publish_nowait(topic, payload, qos, retain=retain, dup=dup, timeout=timeout)
        except BaseException:
            self._room.release()
            raise
        future.add_done_callback(leave)
        return future


async def result_of(future: Future[None]) -> None:
    """Wait for a publish. Cancelling the wait cancels the publish if nothing of it was written.

    Else the publish goes on, and the cause of the CancelledError is an OutcomeUnknownError with the future.
    """
    try:
        await asyncio.wrap_future(future)
    except asyncio.CancelledError as cancelled:
        if not future.cancel():
            cancelled.__cause__ = _outcome_unknown(future)
        raise


def _outcome_unknown(future: Future[None]) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "the wait for this publish was cancelled after the message was handed to the module: "
        "it may be delivered; the future `late` gets the result",
        late=future,
    )
