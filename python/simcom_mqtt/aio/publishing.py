"""Publishes need no thread: their results come as futures."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from functools import partial
from typing import Final

from simcom_mqtt._native import MqttClient
from simcom_mqtt.aio.calls import Calls
from simcom_mqtt.errors import OutcomeUnknownError
from simcom_mqtt.types import Payload, QoS, Topic

__all__ = ["PublishQueue", "result_of"]

MOST_QUEUED: Final = 1000
"""Publishes of a client that wait in the driver; the next call of `publish_nowait` blocks."""


class PublishQueue:
    """Submits the publishes of a client to the driver, in order, without blocking the event loop."""

    def __init__(self, client: MqttClient, calls: Calls) -> None:
        self._client = client
        self._calls = calls
        self._order = asyncio.Lock()
        self._queued: set[Future[None]] = set()
        self._is_payload_limit_known = False

    async def submit(
        self, topic: Topic, payload: Payload, qos: QoS, *, retain: bool, dup: bool, timeout: float
    ) -> Future[None]:
        """Return the driver's future, once the publish is queued there."""
        async with self._order:
            publish = partial(
                self._client.publish_nowait, topic, payload, qos, retain=retain, dup=dup, timeout=timeout
            )
            if self._is_payload_limit_known and len(self._queued) < MOST_QUEUED:
                future = publish()
            else:
                # Blocks: the driver must ask the module for its longest payload, or its queue is full.
                future = await self._submit_on_thread(publish)
                self._is_payload_limit_known = self._is_payload_limit_known or len(payload) > 0
        self._queued.add(future)
        future.add_done_callback(self._queued.discard)
        return future

    async def _submit_on_thread(self, publish: partial[Future[None]]) -> Future[None]:
        written: list[Future[None]] = []

        def cancel(future: Future[None]) -> None:
            if not future.cancel():
                written.append(future)

        try:
            return await self._calls.run(publish, undo=cancel)
        except asyncio.CancelledError as cancelled:
            if written:
                cancelled.__cause__ = _outcome_unknown(written[0])
            raise


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
