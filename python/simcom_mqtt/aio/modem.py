"""`SimcomMqtt`, awaited."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from os import PathLike
from typing import Literal, Self
from weakref import WeakValueDictionary

from simcom_mqtt import _native
from simcom_mqtt._native import Cell, ModuleInfo, Reconnect, SignalQuality, Stats, Tls, Will
from simcom_mqtt.aio.callbacks import in_loop, original
from simcom_mqtt.aio.calls import Calls
from simcom_mqtt.aio.client import MqttClient
from simcom_mqtt.codes import LossCause
from simcom_mqtt.errors import ClosedError
from simcom_mqtt.types import Callback, Payload, Pem

__all__ = ["SimcomMqtt"]


class SimcomMqtt:
    """One module on one AT port, as `simcom_mqtt.SimcomMqtt`: opened by `async with`, or by `open`."""

    def __init__(
        self,
        port: str,
        baudrate: int = 115_200,
        *,
        flow_control: Literal["none", "hardware", "software"] = "none",
        command_timeout: float = 10.0,
        queue_size: int = 65_536,
        transcript: str | PathLike[str] | None = None,
    ) -> None:
        """Take the arguments of `SimcomMqtt`; the port stays closed until `open`."""
        self._port = port
        self._open = partial(
            _native.SimcomMqtt,
            port,
            baudrate,
            flow_control=flow_control,
            command_timeout=command_timeout,
            queue_size=queue_size,
            transcript=transcript,
        )
        self._calls = Calls()
        self._opened: _native.SimcomMqtt | None = None
        self._clients: WeakValueDictionary[int, MqttClient] = WeakValueDictionary()

    async def open(self) -> None:
        """Open the port, as the making of a `SimcomMqtt` does. Cancelled, it gives the port back first."""
        if self._opened is not None:
            raise ClosedError("this SimcomMqtt was opened before: make a new one")
        self._opened = await self._calls.run_or_undo(_native.SimcomMqtt.close, self._open)

    async def close(self) -> None:
        """`SimcomMqtt.close`, awaited. Who awaits something of this module meanwhile gets a ClosedError."""
        if self._opened is not None:
            await self._calls.run_at_once(self._opened.close)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Leave the module and close, as `SimcomMqtt.__exit__`. Cancelled, it closes at once."""
        await self._calls.run_at_once(self._module.__exit__, *exc)

    @property
    def port(self) -> str:
        """`SimcomMqtt.port`."""
        return self._port

    @property
    def is_open(self) -> bool:
        """`SimcomMqtt.is_open`; False before `open` too."""
        return self._opened is not None and self._opened.is_open

    async def connect(
        self,
        url: str,
        *,
        client_id: str | None = None,
        index: Literal[0, 1] | None = None,
        username: str | None = None,
        password: str | None = None,
        keepalive: int = 60,
        clean_session: bool = True,
        will: Will | None = None,
        tls: Tls | None = None,
        version: Literal["3.1", "3.1.1"] = "3.1.1",
        check_utf8: bool = True,
        operation_timeout: int = 120,
        reconnect: Reconnect | None = None,
        timeout: float = 120.0,
    ) -> MqttClient:
        """`SimcomMqtt.connect`, awaited. Cancelled, the driver disconnects and releases what it comes to."""
        connect = partial(
            self._module.connect,
            url,
            client_id=client_id,
            index=index,
            username=username,
            password=password,
            keepalive=keepalive,
            clean_session=clean_session,
            will=will,
            tls=tls,
            version=version,
            check_utf8=check_utf8,
            operation_timeout=operation_timeout,
            reconnect=reconnect,
            timeout=timeout,
        )
        return self._client(await self._calls.run_or_undo(_leave, connect))

    async def start(self, *, timeout: float = 14.0) -> None:
        """`SimcomMqtt.start`, awaited."""
        await self._calls.run(self._module.start, timeout=timeout)

    async def stop(self, *, timeout: float = 14.0) -> None:
        """`SimcomMqtt.stop`, awaited."""
        await self._calls.run(self._module.stop, timeout=timeout)

    async def acquire(self, client_id: str, index: Literal[0, 1] = 0, *, tls: bool = False) -> MqttClient:
        """`SimcomMqtt.acquire`, awaited. Cancelled, `clients` tells whether it was acquired all the same."""
        acquire = partial(self._module.acquire, client_id, index, tls=tls)
        return self._client(await self._calls.run_or_undo(_leave, acquire))

    async def clients(self) -> list[MqttClient]:
        """`SimcomMqtt.clients`, awaited."""
        return [self._client(client) for client in await self._calls.run(self._module.clients)]

    async def is_started(self) -> bool:
        """`SimcomMqtt.is_started`, awaited."""
        return await self._calls.run(self._module.is_started)

    async def subscribed_topics(self) -> list[bytes]:
        """`SimcomMqtt.subscribed_topics`, awaited."""
        return await self._calls.run(self._module.subscribed_topics)

    async def limits(self) -> dict[str, list[str]]:
        """`SimcomMqtt.limits`, awaited."""
        return await self._calls.run(self._module.limits)

    async def command(
        self, command: str, data: Payload | None = None, *, timeout: float | None = None
    ) -> list[str]:
        """`SimcomMqtt.command`, awaited."""
        return await self._calls.run(self._module.command, command, data, timeout=timeout)

    async def configure_ssl(self, context: int, **settings: int | str) -> None:
        """`SimcomMqtt.configure_ssl`, awaited."""
        await self._calls.run(partial(self._module.configure_ssl, context, **settings))

    async def ssl_context(self, context: int) -> dict[str, int | str]:
        """`SimcomMqtt.ssl_context`, awaited."""
        return await self._calls.run(self._module.ssl_context, context)

    async def upload_certificate(self, name: str, pem: Pem, *, timeout: float = 120.0) -> None:
        """`SimcomMqtt.upload_certificate`, awaited."""
        await self._calls.run(self._module.upload_certificate, name, pem, timeout=timeout)

    async def certificates(self) -> list[str]:
        """`SimcomMqtt.certificates`, awaited."""
        return await self._calls.run(self._module.certificates)

    async def delete_certificate(self, name: str) -> None:
        """`SimcomMqtt.delete_certificate`, awaited."""
        await self._calls.run(self._module.delete_certificate, name)

    async def info(self) -> ModuleInfo:
        """`SimcomMqtt.info`, awaited."""
        return await self._calls.run(self._module.info)

    async def signal_quality(self) -> SignalQuality:
        """`SimcomMqtt.signal_quality`, awaited."""
        return await self._calls.run(self._module.signal_quality)

    async def cell(self) -> Cell:
        """`SimcomMqtt.cell`, awaited."""
        return await self._calls.run(self._module.cell)

    async def pdp_contexts(self) -> dict[int, bool]:
        """`SimcomMqtt.pdp_contexts`, awaited."""
        return await self._calls.run(self._module.pdp_contexts)

    async def wait_for_network(self, timeout: float = 60.0) -> Cell:
        """`SimcomMqtt.wait_for_network`, awaited."""
        return await self._calls.run(self._module.wait_for_network, timeout)

    @property
    def stats(self) -> Stats:
        """`SimcomMqtt.stats`."""
        return self._module.stats

    @property
    def on_message(self) -> Callback | None:
        """`SimcomMqtt.on_message`. Callbacks are plain functions, which run in the event loop, in order."""
        callback: Callback | None = original(self._module.on_message)
        return callback

    @on_message.setter
    def on_message(self, callback: Callback | None) -> None:
        self._module.on_message = in_loop(callback)

    @property
    def on_connection_lost(self) -> Callable[[MqttClient, LossCause], object] | None:
        """`SimcomMqtt.on_connection_lost`."""
        callback: Callable[[MqttClient, LossCause], object] | None = original(self._module.on_connection_lost)
        return callback

    @on_connection_lost.setter
    def on_connection_lost(self, callback: Callable[[MqttClient, LossCause], object] | None) -> None:
        self._module.on_connection_lost = in_loop(
            callback, lambda client, cause: (self._client(client), cause)
        )

    @property
    def on_network_lost(self) -> Callable[[], object] | None:
        """`SimcomMqtt.on_network_lost`."""
        callback: Callable[[], object] | None = original(self._module.on_network_lost)
        return callback

    @on_network_lost.setter
    def on_network_lost(self, callback: Callable[[], object] | None) -> None:
        self._module.on_network_lost = in_loop(callback)

    @property
    def on_reconnected(self) -> Callable[[MqttClient], object] | None:
        """`SimcomMqtt.on_reconnected`."""
        callback: Callable[[MqttClient], object] | None = original(self._module.on_reconnected)
        return callback

    @on_reconnected.setter
    def on_reconnected(self, callback: Callable[[MqttClient], object] | None) -> None:
        self._module.on_reconnected = in_loop(callback, lambda client: (self._client(client),))

    @property
    def on_restart(self) -> Callable[[], object] | None:
        """`SimcomMqtt.on_restart`."""
        callback: Callable[[], object] | None = original(self._module.on_restart)
        return callback

    @on_restart.setter
    def on_restart(self, callback: Callable[[], object] | None) -> None:
        self._module.on_restart = in_loop(callback)

    @property
    def on_port_lost(self) -> Callable[[str], object] | None:
        """`SimcomMqtt.on_port_lost`."""
        callback: Callable[[str], object] | None = original(self._module.on_port_lost)
        return callback

    @on_port_lost.setter
    def on_port_lost(self, callback: Callable[[str], object] | None) -> None:
        self._module.on_port_lost = in_loop(callback)

    @property
    def on_message_lost(self) -> Callable[[int | None, str], object] | None:
        """`SimcomMqtt.on_message_lost`."""
        callback: Callable[[int | None, str], object] | None = original(self._module.on_message_lost)
        return callback

    @on_message_lost.setter
    def on_message_lost(self, callback: Callable[[int | None, str], object] | None) -> None:
        self._module.on_message_lost = in_loop(callback)

    @property
    def on_urc(self) -> Callable[[str], object] | None:
        """`SimcomMqtt.on_urc`."""
        callback: Callable[[str], object] | None = original(self._module.on_urc)
        return callback

    @on_urc.setter
    def on_urc(self, callback: Callable[[str], object] | None) -> None:
        self._module.on_urc = in_loop(callback)

    @property
    def callback_errors(self) -> list[BaseException]:
        """`SimcomMqtt.callback_errors`."""
        return self._module.callback_errors

    def __repr__(self) -> str:
        return (
            f"<aio of {self._opened!r}>"
            if self._opened
            else f"<aio SimcomMqtt on {self._port!r}, not opened>"
        )

    @property
    def _module(self) -> _native.SimcomMqtt:
        if self._opened is None:
            raise ClosedError("this SimcomMqtt is not open yet: use `async with`, or `await modem.open()`")
        return self._opened

    def _client(self, client: _native.MqttClient) -> MqttClient:
        known = self._clients.get(client.index)
        if known is None or known._client is not client:
            known = self._clients[client.index] = MqttClient(self, client, self._calls)
        return known


def _leave(client: _native.MqttClient) -> None:
    client.__exit__(None, None, None)
