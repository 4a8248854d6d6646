"""`MqttClient`, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Self

from simcom_mqtt import _native
from simcom_mqtt._native import ClientState, Message
from simcom_mqtt.aio.callbacks import in_loop, original
from simcom_mqtt.aio.calls import Calls
from simcom_mqtt.aio.capture import Capture, Messages, wait_for_message
from simcom_mqtt.aio.publishing import Publishing, result_of
from simcom_mqtt.types import Callback, Payload, QoS, Topic

if TYPE_CHECKING:
    from simcom_mqtt.aio.modem import SimcomMqtt

__all__ = ["MqttClient"]


class MqttClient:
    """Client 0 or 1 of a module, as `simcom_mqtt.MqttClient`. Made by `SimcomMqtt.connect` and its like."""

    def __init__(self, modem: SimcomMqtt, client: _native.MqttClient, calls: Calls) -> None:
        self._modem = modem
        self._client = client
        self._calls = calls
        self._publishing = Publishing(client, calls)

    @property
    def modem(self) -> SimcomMqtt:
        """`MqttClient.modem`."""
        return self._modem

    @property
    def index(self) -> int:
        """`MqttClient.index`."""
        return self._client.index

    @property
    def client_id(self) -> str:
        """`MqttClient.client_id`."""
        return self._client.client_id

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Disconnect and release, in at most 5 s, as `MqttClient.__exit__`. Cancelled, the rest follows."""
        await self._calls.run_at_once(self._client.__exit__, *exc)

    async def set_will(self, topic: Topic, payload: Payload, qos: QoS = 0) -> None:
        """`MqttClient.set_will`, awaited."""
        await self._calls.run(self._client.set_will, topic, payload, qos)

    async def use_ssl_context(self, context: int) -> None:
        """`MqttClient.use_ssl_context`, awaited."""
        await self._calls.run(self._client.use_ssl_context, context)

    async def configure(
        self,
        *,
        check_utf8: bool | None = None,
        operation_timeout: int | None = None,
        version: Literal["3.1", "3.1.1"] | None = None,
    ) -> None:
        """`MqttClient.configure`, awaited."""
        await self._calls.run(
            self._client.configure,
            check_utf8=check_utf8,
            operation_timeout=operation_timeout,
            version=version,
        )

    async def connect(
        self,
        url: str,
        *,
        keepalive: int = 60,
        clean_session: bool = True,
        username: str | None = None,
        password: str | None = None,
        timeout: float = 120.0,
    ) -> None:
        """`MqttClient.connect`, awaited. Cancelled, it goes on in the module: `disconnect` comes after it."""
        await self._calls.run(
            self._client.connect,
            url,
            keepalive=keepalive,
            clean_session=clean_session,
            username=username,
            password=password,
            timeout=timeout,
        )

    async def disconnect(self, timeout: float = 60.0) -> None:
        """`MqttClient.disconnect`, awaited."""
        await self._calls.run(self._client.disconnect, timeout)

    async def release(self) -> None:
        """`MqttClient.release`, awaited."""
        await self._calls.run(self._client.release)

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
        """`MqttClient.publish`, awaited; `timeout` runs from its turn on, as of `publish_nowait`.

        Cancelled before anything of it was written, it is not sent. Later it goes on: then the cause of the
        CancelledError is an OutcomeUnknownError, and its `late` tells what became of the message.
        """
        await result_of(
            await self._publishing.hand_over(topic, payload, qos, retain=retain, dup=dup, timeout=timeout)
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
        """`MqttClient.publish_nowait`: returns once it is queued, with an asyncio future of its result.

        Who cancels the future takes the publish back if nothing of it was written yet, and else learns no
        more of it: `asyncio.wait` waits for it without that.
        """
        return asyncio.wrap_future(
            await self._publishing.hand_over(topic, payload, qos, retain=retain, dup=dup, timeout=timeout)
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

        Cancelled, the module may subscribe all the same, and the callback is not called.
        """
        await self._calls.run(
            self._client.subscribe, topic, qos, dup=dup, callback=in_loop(callback), timeout=timeout
        )

    async def unsubscribe(self, topic: Topic, *, dup: bool = False, timeout: float | None = None) -> None:
        """`MqttClient.unsubscribe`, awaited."""
        await self._calls.run(self._client.unsubscribe, topic, dup=dup, timeout=timeout)

    def is_connected(self) -> bool:
        """`MqttClient.is_connected`, which asks nobody and so needs no awaiting."""
        return self._client.is_connected()

    async def query(self) -> ClientState:
        """`MqttClient.query`, awaited."""
        return await self._calls.run(self._client.query)

    @property
    def on_message(self) -> Callback | None:
        """`MqttClient.on_message`: a plain function, which runs in the event loop."""
        callback: Callback | None = original(self._client.on_message)
        return callback

    @on_message.setter
    def on_message(self, callback: Callback | None) -> None:
        self._client.on_message = in_loop(callback)

    def capture(self, filter: Topic = "#") -> Capture:  # noqa: A002 - what MQTT calls it
        """`MqttClient.capture`: `with client.capture("dut/#") as inbox: … await inbox.get()`."""
        return Capture(self._client._inbox(filter), filter)

    def messages(
        self,
        filter: Topic = "#",  # noqa: A002 - what MQTT calls it
        *,
        timeout: float | None = None,
    ) -> Messages:
        """`MqttClient.messages`: `async for message in client.messages("dut/#"): …`.

        Collects from this call on, also while nobody waits: no message between two steps is lost.
        """
        return Messages(self._client._inbox(filter, timeout=timeout), timeout)

    async def wait_for_message(
        self,
        filter: Topic = "#",  # noqa: A002 - what MQTT calls it
        *,
        timeout: float = 10.0,
        match: Callable[[Message], bool] | None = None,
    ) -> Message:
        """`MqttClient.wait_for_message`, awaited."""
        inbox = self._client._inbox(filter, everything=True)
        try:
            return await wait_for_message(inbox, filter, timeout, match)
        finally:
            inbox.end()

    def __repr__(self) -> str:
        return f"<aio of {self._client!r}>"
