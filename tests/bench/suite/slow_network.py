"""A network with a round-trip time between a simulated module and its broker."""

import asyncio
import contextlib
import threading
from types import TracebackType
from typing import Self

READ_SIZE = 65_536


class SlowNetwork:
    """Relays TCP connections to the broker with a delay, while the `with` block runs."""

    def __init__(self, broker_port: int, round_trip: float) -> None:
        self._broker_port = broker_port
        self._delay = round_trip / 2
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._relays: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        """Host and port for the module to connect to."""
        return f"127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._port: int = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _listen(self) -> int:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        self._server.close()
        for relay in self._relays:
            relay.cancel()
        await asyncio.gather(*self._relays, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relay = self._loop.create_task(self._relay(reader, writer))
        self._relays.add(relay)
        relay.add_done_callback(self._relays.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The handshake of TCP takes a round trip before the first byte.
        await asyncio.sleep(2 * self._delay)
        with contextlib.closing(writer), contextlib.suppress(OSError):
            from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self._broker_port)
            with contextlib.closing(to_broker):
                await asyncio.wait(
                    [
                        asyncio.ensure_future(self._forward(reader, to_broker)),
                        asyncio.ensure_future(self._forward(from_broker, writer)),
                    ],
                    return_when=asyncio.FIRST_COMPLETED,
                )
                await asyncio.sleep(self._delay)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(READ_SIZE):
                self._loop.call_later(self._delay, writer.write, data)
