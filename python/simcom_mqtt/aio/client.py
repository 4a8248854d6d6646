"""`MqttClient`, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from simcom_mqtt import _native
from simcom_mqtt._native import Message
from simcom_mqtt.aio.callbacks import CallbackAttribute, in_loop
from simcom_mqtt.aio.calls import awaited, run
from simcom_mqtt.aio.capture import Capture, Messages, wait_for_message
from simcom_mqtt.aio.publishing import PublishQueue, result_of
from simcom_mqtt.types import Callback, Payload, QoS, Topic

if TYPE_CHECKING:
    from simcom_mqtt.aio.modem import SimcomMqtt

__all__ = ["MqttClient"]


class MqttClient:
    """Client 0 or 1 of a module, as `simcom_mqtt.MqttClient`. Made by `SimcomMqtt.connect` or `acquire`."""

    def __init__(self, modem: SimcomMqtt, client: _native.MqttClient) -> None:
        self._modem = modem
        self._blocking = client
        self._publishes = PublishQueue(client)

    @property
    def modem(self) -> SimcomMqtt:
        """`MqttClient.modem`."""
        return self._modem

    @property
    def index(self) -> int:
        """`MqttClient.index`."""
        return self._blocking.index

    @property
    def client_id(self) -> str:
        """`MqttClient.client_id`."""
        return self._blocking.client_id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Disconnect and release within 5 s, as `MqttClient.__exit__`. If cancelled, the rest follows."""
        await run(self._blocking.__exit__, None, *exc)

    set_will = awaited(_native.MqttClient.set_will)
    use_ssl_context = awaited(_native.MqttClient.use_ssl_context)
    configure = awaited(_native.MqttClient.configure)
    connect = awaited(_native.MqttClient.connect)
    disconnect = awaited(_native.MqttClient.disconnect)
    release = awaited(_native.MqttClient.release)
    unsubscribe = awaited(_native.MqttClient.unsubscribe)
    query = awaited(_native.MqttClient.query)
    on_message = CallbackAttribute[Callback](_native.MqttClient.on_message)

    def is_connected(self) -> bool:
        """`MqttClient.is_connected`: not awaited, since the driver knows it."""
        return self._blocking.is_connected()

    async def publish(
        self,
        topic: Topic,
        payload: Payload = b"",
        qos: QoS = 0,
        *,
        retain: bool = False,
        dup: bool = False,
        timeout: float = 60.0,
    ) -> None:
        """`MqttClient.publish`, awaited; `timeout` begins with its turn, as that of `publish_nowait`.

        If cancelled before a byte of it was written, it is not sent. Later it goes on: then the cause of the
        CancelledError is an OutcomeUnknownError, whose future `late` gets the result.
        """
        await result_of(
            await self._publishes.submit(topic, payload, qos, retain=retain, dup=dup, timeout=timeout)
        )

    async def publish_nowait(
        self,
        topic: Topic,
        payload: Payload = b"",
        qos: QoS = 0,
        *,
        retain: bool = False,
        dup: bool = False,
        timeout: float = 60.0,
    ) -> asyncio.Future[None]:
        """`MqttClient.publish_nowait`: returns an asyncio future of the result once the publish is queued.

        Cancelling the future cancels a publish of which nothing was written; the result of any other is then
        lost. `asyncio.wait` waits for the future without cancelling it.
        """
        return asyncio.wrap_future(
            await self._publishes.submit(topic, payload, qos, retain=retain, dup=dup, timeout=timeout)
        )

    async def subscribe(
        self,
        topic: Topic,
        qos: QoS = 0,
        *,
        dup: bool = False,
        callback: Callback | None = None,
        timeout: float | None = None,
    ) -> None:
        """`MqttClient.subscribe`, awaited. The callback, a plain function, runs in the event loop.

        If cancelled, the module may still subscribe; the callback is then not called.
        """
        subscribe = self._blocking.subscribe
        await run(subscribe, None, topic, qos, dup=dup, callback=in_loop(callback), timeout=timeout)

    def capture(self, filter: Topic = "#") -> Capture:  # noqa: A002 - the word of MQTT
        """`MqttClient.capture`: `with client.capture("dut/#") as inbox: … await inbox.get()`."""
        return Capture(self._blocking._inbox(filter), filter)

    def messages(
        self,
        filter: Topic = "#",  # noqa: A002 - the word of MQTT
        *,
        timeout: float | None = None,
    ) -> Messages:
        """`MqttClient.messages`: `async for message in client.messages("dut/#"): …`.

        Collects from this call on, also between two steps of the iteration: no message is lost.
        """
        return Messages(self._blocking._inbox(filter, timeout=timeout), timeout)

    async def wait_for_message(
        self,
        filter: Topic = "#",  # noqa: A002 - the word of MQTT
        *,
        timeout: float = 10.0,
        match: Callable[[Message], bool] | None = None,
    ) -> Message:
        """`MqttClient.wait_for_message`, awaited."""
        inbox = self._blocking._inbox(filter, everything=True)
        try:
            return await wait_for_message(inbox, filter, timeout, match)
        finally:
            inbox.end()

    def __repr__(self) -> str:
        return f"<aio of {self._blocking!r}>"
