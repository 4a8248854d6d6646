"""`SimcomMqtt`, awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from os import PathLike
from typing import TYPE_CHECKING, Any, Concatenate, Literal, ParamSpec, Self
from weakref import WeakValueDictionary

from simcom_mqtt import _native
from simcom_mqtt.aio.callbacks import CallbackAttribute
from simcom_mqtt.aio.calls import awaited, on_thread, run
from simcom_mqtt.aio.client import MqttClient
from simcom_mqtt.codes import LossCause
from simcom_mqtt.errors import ClosedError
from simcom_mqtt.types import Callback

if TYPE_CHECKING:
    from simcom_mqtt.values import Stats

__all__ = ["SimcomMqtt"]

P = ParamSpec("P")


def _awaited_client(
    method: Callable[Concatenate[_native.SimcomMqtt, P], _native.MqttClient],
) -> Callable[Concatenate[SimcomMqtt, P], Coroutine[Any, Any, MqttClient]]:
    """Make the awaited form of a method that returns a client; cancelled, it disconnects and releases it."""

    @wraps(method)
    async def call(self: SimcomMqtt, /, *args: P.args, **kwargs: P.kwargs) -> MqttClient:
        get_client = partial(method, self._blocking)
        return self._client(await run(get_client, _native.MqttClient.__exit__, *args, **kwargs))

    call.__doc__ = f"`{method.__qualname__}`, awaited. If cancelled, it disconnects and releases its client."
    return call


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
        self._open = lambda modem: modem._open(
            port,
            baudrate,
            flow_control=flow_control,
            command_timeout=command_timeout,
            queue_size=queue_size,
            transcript=transcript,
        )
        self._opened: _native.SimcomMqtt | None = None
        self._clients: WeakValueDictionary[int, MqttClient] = WeakValueDictionary()

    async def open(self) -> None:
        """Open the port, as the blocking constructor does. If cancelled, close the port again."""
        if self._opened is not None:
            raise ClosedError("this SimcomMqtt was opened before: make a new one")
        modem = _native.SimcomMqtt.__new__(_native.SimcomMqtt)
        try:
            await run(self._open, None, modem)
        except BaseException:
            await asyncio.shield(on_thread(modem.close))
            raise
        self._opened = modem

    async def close(self) -> None:
        """`SimcomMqtt.close`, awaited. Tasks that wait for this module get a ClosedError."""
        if self._opened is not None:
            await asyncio.shield(on_thread(self._opened.close))

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Disconnect, release, stop and close, as `SimcomMqtt.__exit__`. If cancelled, it closes at once."""
        try:
            if self.is_open:
                await run(self._blocking._leave)
        finally:
            await self.close()

    @property
    def port(self) -> str:
        """`SimcomMqtt.port`."""
        return self._port

    @property
    def is_open(self) -> bool:
        """`SimcomMqtt.is_open`; False before `open` too."""
        return self._opened is not None and self._opened.is_open

    connect = _awaited_client(_native.SimcomMqtt.connect)
    acquire = _awaited_client(_native.SimcomMqtt.acquire)
    start = awaited(_native.SimcomMqtt.start)
    stop = awaited(_native.SimcomMqtt.stop)
    is_started = awaited(_native.SimcomMqtt.is_started)
    subscribed_topics = awaited(_native.SimcomMqtt.subscribed_topics)
    limits = awaited(_native.SimcomMqtt.limits)
    command = awaited(_native.SimcomMqtt.command)
    ssl_context = awaited(_native.SimcomMqtt.ssl_context)
    upload_certificate = awaited(_native.SimcomMqtt.upload_certificate)
    certificates = awaited(_native.SimcomMqtt.certificates)
    delete_certificate = awaited(_native.SimcomMqtt.delete_certificate)
    info = awaited(_native.SimcomMqtt.info)
    signal_quality = awaited(_native.SimcomMqtt.signal_quality)
    cell = awaited(_native.SimcomMqtt.cell)
    pdp_contexts = awaited(_native.SimcomMqtt.pdp_contexts)
    wait_for_network = awaited(_native.SimcomMqtt.wait_for_network)
    sim = awaited(_native.SimcomMqtt.sim)
    enter_pin = awaited(_native.SimcomMqtt.enter_pin)
    registration = awaited(_native.SimcomMqtt.registration)
    data_contexts = awaited(_native.SimcomMqtt.data_contexts)
    set_apn = awaited(_native.SimcomMqtt.set_apn)
    clock = awaited(_native.SimcomMqtt.clock)
    sync_clock = awaited(_native.SimcomMqtt.sync_clock)
    set_gnss = awaited(_native.SimcomMqtt.set_gnss)
    position = awaited(_native.SimcomMqtt.position)

    async def configure_ssl(self, context: int, **settings: int | str) -> None:
        """`SimcomMqtt.configure_ssl`, awaited."""
        await run(self._blocking.configure_ssl, None, context, **settings)

    async def clients(self) -> list[MqttClient]:
        """`SimcomMqtt.clients`, awaited."""
        return [self._client(client) for client in await run(self._blocking.clients)]

    on_message = CallbackAttribute[Callback](_native.SimcomMqtt.on_message)
    on_connection_lost = CallbackAttribute[Callable[[MqttClient, LossCause], object]](
        _native.SimcomMqtt.on_connection_lost,
        lambda modem, arguments: (modem._client(arguments[0]), arguments[1]),
    )
    on_network_lost = CallbackAttribute[Callable[[], object]](_native.SimcomMqtt.on_network_lost)
    on_reconnected = CallbackAttribute[Callable[[MqttClient], object]](
        _native.SimcomMqtt.on_reconnected, lambda modem, arguments: (modem._client(arguments[0]),)
    )
    on_restart = CallbackAttribute[Callable[[], object]](_native.SimcomMqtt.on_restart)
    on_port_lost = CallbackAttribute[Callable[[str], object]](_native.SimcomMqtt.on_port_lost)
    on_message_lost = CallbackAttribute[Callable[[int | None, str], object]](
        _native.SimcomMqtt.on_message_lost
    )
    on_urc = CallbackAttribute[Callable[[str], object]](_native.SimcomMqtt.on_urc)

    @property
    def stats(self) -> Stats:
        """`SimcomMqtt.stats`."""
        return self._blocking.stats

    @property
    def callback_errors(self) -> list[BaseException]:
        """`SimcomMqtt.callback_errors`."""
        return self._blocking.callback_errors

    def __repr__(self) -> str:
        return (
            f"<aio of {self._opened!r}>"
            if self._opened
            else f"<aio SimcomMqtt on {self._port!r}, not opened>"
        )

    @property
    def _blocking(self) -> _native.SimcomMqtt:
        if self._opened is None:
            raise ClosedError("this SimcomMqtt is not open yet: use `async with`, or `await modem.open()`")
        return self._opened

    def _client(self, client: _native.MqttClient) -> MqttClient:
        known = self._clients.get(client.index)
        if known is None or known._blocking is not client:
            known = self._clients[client.index] = MqttClient(self, client)
        return known
