"""Callbacks that run in the event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from simcom_mqtt.errors import ClosedError

__all__ = ["InLoop", "in_loop", "original"]


class InLoop:
    """A callback as the driver's callback thread calls it: has the event loop run it, and waits until it has.

    So callbacks keep their order, what they raise is kept in `callback_errors`, and a loop that does not keep
    up is not flooded: `queue_size` holds.
    """

    def __init__(self, callback: Callable[..., object], convert: Callable[..., tuple[Any, ...]]) -> None:
        self.callback = callback
        self._convert = convert
        self._loop = asyncio.get_running_loop()

    def __call__(self, *arguments: object) -> None:
        """Run it."""
        ended: Future[None] = Future()
        # Held by nobody else: a loop that is closed drops it, and with that it tells.
        self._loop.call_soon_threadsafe(_Run(ended, self.callback, self._convert, arguments))
        ended.result()


class _Run:
    def __init__(
        self,
        ended: Future[None],
        callback: Callable[..., object],
        convert: Callable[..., tuple[Any, ...]],
        arguments: tuple[object, ...],
    ) -> None:
        self._ended = ended
        self._callback = callback
        self._convert = convert
        self._arguments = arguments

    def __call__(self) -> None:
        try:
            self._callback(*self._convert(*self._arguments))
        except (SystemExit, KeyboardInterrupt) as error:
            self._ended.set_exception(error)
            raise
        except BaseException as error:
            self._ended.set_exception(error)
        else:
            self._ended.set_result(None)

    def __del__(self) -> None:
        if not self._ended.done():
            self._ended.set_exception(ClosedError("the event loop of this callback was closed"))


def in_loop(
    callback: Callable[..., object] | None,
    convert: Callable[..., tuple[Any, ...]] = lambda *arguments: arguments,
) -> InLoop | None:
    """What the driver is given for a callback."""
    if callback is None:
        return None
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(
        getattr(callback, "__call__", None)  # noqa: B004 - its function is looked at, not whether there is one
    ):
        raise TypeError(
            "a callback must be a plain function: to await something for each message, iterate over "
            "client.messages(); or start a task in the callback"
        )
    if not callable(callback):
        raise TypeError("a callback must be callable, or None")
    return InLoop(callback, convert)


def original(callback: Callable[..., object] | None) -> Any:
    """What `in_loop` was given."""
    return callback.callback if isinstance(callback, InLoop) else callback
