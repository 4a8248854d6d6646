"""Callbacks that run in the event loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Generic, Self, TypeVar, cast, overload

from simcom_mqtt.errors import ClosedError

__all__ = ["CallbackAttribute", "InLoop", "in_loop"]

F = TypeVar("F", bound=Callable[..., object])


class CallbackAttribute(Generic[F]):
    """A callback attribute such as `on_message`: set on the blocking object, called in the event loop.

    convert: turns the instance and the blocking driver's arguments into those of the callback.
    """

    def __init__(
        self, blocking: Any, convert: Callable[[Any, tuple[Any, ...]], tuple[Any, ...]] | None = None
    ) -> None:
        self._blocking = blocking
        self._convert = convert
        self.__doc__ = f"`{blocking.__objclass__.__name__}.{blocking.__name__}`, in the event loop."

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> F | None: ...
    def __get__(self, instance: Any, owner: type) -> Self | F | None:
        if instance is None:
            return self
        callback: F | InLoop | None = self._blocking.__get__(instance._blocking)
        return cast("F", callback.callback) if isinstance(callback, InLoop) else callback

    def __set__(self, instance: Any, callback: F | None) -> None:
        convert = self._convert
        adapter = in_loop(callback, convert and (lambda *arguments: convert(instance, arguments)))
        self._blocking.__set__(instance._blocking, adapter)


class InLoop:
    """Makes the event loop run a callback, and the driver's callback thread wait for its end.

    So callbacks keep their order, `callback_errors` gets their exceptions, and `queue_size` still limits the
    messages that wait for a slow event loop.
    """

    def __init__(
        self, callback: Callable[..., object], convert: Callable[..., tuple[Any, ...]] | None
    ) -> None:
        self.callback = callback
        self._convert = convert
        self._loop = asyncio.get_running_loop()

    def __call__(self, *arguments: object) -> None:
        """Run the callback in the event loop, and wait for its end."""
        ended: Future[None] = Future()
        # The event loop holds the only reference: a closed loop drops it, and `_Run.__del__` ends the wait.
        self._loop.call_soon_threadsafe(_Run(self.callback, self._convert, arguments, ended))
        ended.result()


class _Run:
    def __init__(
        self,
        callback: Callable[..., object],
        convert: Callable[..., tuple[Any, ...]] | None,
        arguments: tuple[object, ...],
        ended: Future[None],
    ) -> None:
        self._callback = callback
        self._convert = convert
        self._arguments = arguments
        self._ended = ended

    def __call__(self) -> None:
        try:
            self._callback(*(self._convert(*self._arguments) if self._convert else self._arguments))
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
    callback: Callable[..., object] | None, convert: Callable[..., tuple[Any, ...]] | None = None
) -> InLoop | None:
    """Wrap a callback for the blocking driver.

    TypeError: it is a coroutine function, or cannot be called.
    """
    if callback is None:
        return None
    if inspect.iscoroutinefunction(callback) or inspect.iscoroutinefunction(
        getattr(callback, "__call__", None)  # noqa: B004 - reads the method; does not test for it
    ):
        raise TypeError(
            "a callback must be a plain function: to await something for each message, iterate over "
            "client.messages(); or start a task in the callback"
        )
    if not callable(callback):
        raise TypeError("a callback must be callable, or None")
    return InLoop(callback, convert)
