"""Blocking calls of the driver, awaited: each on a thread of its own.

A command may wait minutes for its result, and must not keep another client's from being asked: so there is no
pool whose few places could all be taken. The threads are daemons, so that none holds up the end of the
process. Messages and publishes, of which there are many, take none.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, Generic, ParamSpec, TypeVar

from simcom_mqtt._native import Interrupter

__all__ = ["Calls"]

P = ParamSpec("P")
T = TypeVar("T")

MOST_AT_ONCE: Final = 64
"""A module has one AT channel: more than that only wait for it."""


class Calls:
    """Runs blocking calls without blocking the event loop."""

    def __init__(self) -> None:
        self._room = asyncio.Semaphore(MOST_AT_ONCE)

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call, and wait for the result. Cancelled, it returns as soon as the call has given up."""
        async with self._room:
            return await _Call(partial(function, *args, **kwargs)).result(_forget)

    async def run_or_undo(
        self, undo: Callable[[T], object], function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `run`. A result that came all the same is undone before it returns, or nobody would own it."""
        async with self._room:
            return await _Call(partial(function, *args, **kwargs)).result(undo)

    async def run_at_once(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, for what ends the others: it does not wait for room."""
        return await _Call(partial(function, *args, **kwargs)).result(_forget)


def _forget(_result: object) -> None:
    pass


class _Call(Generic[T]):
    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._undo: Callable[[T], object] = _forget
        self._interrupter = Interrupter()
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[T] = self._loop.create_future()

    async def result(self, undo: Callable[[T], object]) -> T:
        self._undo = undo
        threading.Thread(target=self._run, name="simcom-mqtt-call", daemon=True).start()
        try:
            await asyncio.wait([self._ended])
        except asyncio.CancelledError:
            self._interrupter.interrupt()
            await _end_of(self._ended)
            if self._ended.exception() is None and undo is not _forget:
                await self._undone(self._ended.result())
            raise
        return self._ended.result()

    async def _undone(self, result: T) -> None:
        undoing: _Call[object] = _Call(partial(self._undo, result))
        threading.Thread(target=undoing._run, name="simcom-mqtt-undo", daemon=True).start()
        await _end_of(undoing._ended)
        undoing._ended.exception()

    def _run(self) -> None:
        try:
            with self._interrupter:
                result = self._function()
        except BaseException as error:
            self._tell(partial(self._ended.set_exception, error))
            return
        if not self._tell(partial(self._ended.set_result, result)):
            self._undo(result)

    def _tell(self, end: Callable[[], object]) -> bool:
        """False if the event loop is closed, and nobody waits any more."""
        try:
            self._loop.call_soon_threadsafe(end)
        except RuntimeError:
            return False
        return True


async def _end_of(future: asyncio.Future[T]) -> None:
    """Wait, whoever cancels: it is soon over."""
    while not future.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([future])
