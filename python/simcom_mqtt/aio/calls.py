"""Blocking calls of the driver, awaited: each on its own thread.

A command may wait minutes for its result, and must not delay those of the other client: a pool of a few
threads could be full. The threads are daemons, so that none delays the end of the process. Publishes and
waits for messages, of which there are many, need no thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, Concatenate, Final, Generic, ParamSpec, Protocol, TypeVar

from simcom_mqtt._native import Interrupter

__all__ = ["Calls", "awaited"]

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)

MOST_AT_ONCE: Final = 64
"""A module has one AT channel: further calls could only wait for it."""


class Calls:
    """Runs blocking calls without blocking the event loop."""

    def __init__(self) -> None:
        self._limit = asyncio.Semaphore(MOST_AT_ONCE)

    async def run(self, function: Callable[[], T], *, undo: Callable[[T], object] | None = None) -> T:
        """Return the result of a call. If cancelled, return as soon as the call has ended its wait.

        undo: undoes a result that came in spite of the cancelling, since no caller gets it.
        """
        async with self._limit:
            return await _Call(function, undo).result()

    async def run_at_once(self, function: Callable[[], T]) -> T:
        """Return the result of a call that ends the others: the limit does not hold for it."""
        return await _Call(function).result()


class Wrapper(Protocol[B_co]):
    """An object of this package that stands for one of the blocking driver."""

    _calls: Calls

    @property
    def _blocking(self) -> B_co: ...


def awaited(
    method: Callable[Concatenate[B, P], T],
) -> Callable[Concatenate[Wrapper[B], P], Coroutine[Any, Any, T]]:
    """Make the awaited form of a blocking method, with its signature."""

    @wraps(method)
    async def call(self: Wrapper[B], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._calls.run(partial(method, self._blocking, *args, **kwargs))

    call.__doc__ = f"`{method.__qualname__}`, awaited."
    return call


class _Call(Generic[T]):
    def __init__(self, function: Callable[[], T], undo: Callable[[T], object] | None = None) -> None:
        self._function = function
        self._undo = undo
        self._interrupter = Interrupter()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[T] = self._loop.create_future()

    def start(self) -> None:
        threading.Thread(target=self._run, name="simcom-mqtt-call", daemon=True).start()

    async def result(self) -> T:
        self.start()
        try:
            await asyncio.wait([self._ended])
        except asyncio.CancelledError:
            self._interrupter.interrupt()
            await _end_of(self._ended)
            if self._ended.exception() is None and self._undo is not None:
                undoing: _Call[object] = _Call(partial(self._undo, self._ended.result()))
                undoing.start()
                await _end_of(undoing._ended)
                undoing._ended.exception()
            raise
        return self._ended.result()

    def _run(self) -> None:
        try:
            with self._interrupter:
                result = self._function()
        except BaseException as error:
            self._report(partial(self._ended.set_exception, error))
            return
        if not self._report(partial(self._ended.set_result, result)) and self._undo is not None:
            self._undo(result)

    def _report(self, end: Callable[[], object]) -> bool:
        """Return False if the event loop is closed, and no task waits any more."""
        try:
            self._loop.call_soon_threadsafe(end)
        except RuntimeError:
            return False
        return True


async def _end_of(future: asyncio.Future[T]) -> None:
    """Wait in spite of further cancelling: the call ends soon."""
    while not future.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([future])
