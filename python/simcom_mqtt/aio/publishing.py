"""Publishes, which take no thread: their results come as futures."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future
from typing import Final

from simcom_mqtt._native import MqttClient
from simcom_mqtt.aio.calls import Calls
from simcom_mqtt.errors import OutcomeUnknownError
from simcom_mqtt.types import Payload, QoS, Topic

__all__ = ["Publishing", "result_of"]

MOST_WAITING: Final = 1000
"""So many publishes of a client wait in the driver; the next one blocks."""


class Publishing:
    """Hands the publishes of a client to the driver, in order, without blocking the event loop."""

    def __init__(self, client: MqttClient, calls: Calls) -> None:
        self._client = client
        self._calls = calls
        self._turn = asyncio.Lock()
        self._waiting: set[Future[None]] = set()
        self._is_limit_known = False

    async def hand_over(
        self, topic: Topic, payload: Payload, qos: QoS, *, retain: bool, dup: bool, timeout: float
    ) -> Future[None]:
        """The driver's future, once the publish is queued there."""
        async with self._turn:
            publish = self._client.publish_nowait
            if self._is_limit_known and len(self._waiting) < MOST_WAITING:
                future = publish(topic, payload, qos, retain=retain, dup=dup, timeout=timeout)
            else:
                # The module has to be asked how long a payload may be, or there is no room yet.
                going_on: list[Future[None]] = []

                def take_back(future: Future[None]) -> None:
                    if not future.cancel():
                        going_on.append(future)

                try:
                    future = await self._calls.run_or_undo(
                        take_back, publish, topic, payload, qos, retain=retain, dup=dup, timeout=timeout
                    )
                except asyncio.CancelledError as cancelled:
                    for late in going_on:
                        cancelled.__cause__ = _unknown(late)
                    raise
                self._is_limit_known = self._is_limit_known or len(payload) > 0
        self._waiting.add(future)
        future.add_done_callback(self._waiting.discard)
        return future


async def result_of(future: Future[None]) -> None:
    """Wait for a publish. Who cancels that takes it back if nothing of it was written yet.

    Else it goes on, and the CancelledError has an OutcomeUnknownError as its cause, whose `late` tells.
    """
    try:
        await asyncio.wrap_future(future)
    except asyncio.CancelledError as cancelled:
        if not future.cancel():
            cancelled.__cause__ = _unknown(future)
        raise


def _unknown(future: Future[None]) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        "the wait for this publish was cancelled after it was handed to the module: "
        "it may be delivered, and `late` tells once that is known",
        late=future,
    )
