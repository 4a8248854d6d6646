"""Blocking methods of the driver, awaited: their operations run on the driver's own thread."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from simcom_mqtt._native import submit

__all__ = ["awaited", "on_thread", "run"]

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)


async def run(
    method: Callable[P, T], undo: Callable[[T], object] | None = None, /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Return the result of a blocking method. If cancelled, wait until the driver has ended the operation.

    undo: a blocking method that undoes a result which came all the same, since no caller gets it.
    """
    operation = submit(method, *args, **kwargs)
    try:
        await _end_of(operation)
    except asyncio.CancelledError:
        operation.interrupt()
        await _end_in_any_case(operation)
        if undo is not None and operation.exception() is None:
            await _end_in_any_case(submit(undo, operation.result()))
        raise
    return operation.result()


async def on_thread(function: Callable[[], T]) -> T:
    """Return the result of a call that blocks for a moment, as `close` does. It runs on its own thread."""
    return await asyncio.get_running_loop().run_in_executor(None, function)


class Wrapper(Protocol[B_co]):
    """An object of this package that stands for one of the blocking driver."""

    @property
    def _blocking(self) -> B_co: ...


def awaited(
    method: Callable[Concatenate[B, P], T],
) -> Callable[Concatenate[Wrapper[B], P], Coroutine[Any, Any, T]]:
    """Make the awaited form of a blocking method, with its signature."""

    @wraps(method)
    async def call(self: Wrapper[B], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await run(partial(method, self._blocking), None, *args, **kwargs)

    call.__doc__ = f"`{method.__qualname__}`, awaited."
    return call


async def _end_of(operation: Future[T]) -> None:
    """Wait for the end of an operation. Cancelling the wait does not cancel the operation."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def tell(_operation: Future[T]) -> None:
        # A closed loop has no task that waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(ended.set)

    operation.add_done_callback(tell)
    await ended.wait()


async def _end_in_any_case(operation: Future[T]) -> None:
    """Wait in spite of further cancelling: the operation ends soon."""
    while not operation.done():
        with contextlib.suppress(asyncio.CancelledError):
            await _end_of(operation)
