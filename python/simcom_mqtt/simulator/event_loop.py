"""The event loop of a simulated module: one thread, a selector, timers, calls from other threads.

Only this thread changes the state of a module, so nothing else in the simulator needs a lock.
"""

import contextlib
import heapq
import itertools
import logging
import selectors
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from time import monotonic
from typing import Any, Final, Protocol, TypeVar

logger: Final = logging.getLogger("simcom_mqtt.simulator")

READ: Final = selectors.EVENT_READ
WRITE: Final = selectors.EVENT_WRITE

T = TypeVar("T")


def close_socket(opened: socket.socket) -> None:
    """Close a socket and end its connection, even if a forked child has the socket open too."""
    with contextlib.suppress(OSError):  # not connected
        opened.shutdown(socket.SHUT_RDWR)
    opened.close()


class HasFileno(Protocol):
    """An object that the selector can watch."""

    def fileno(self) -> int:
        """Return the file descriptor."""


class Timer:
    """One call due at a time."""

    __slots__ = ("_call", "due")

    def __init__(self, due: float, call: Callable[[], object]) -> None:
        self.due = due
        self._call: Callable[[], object] | None = call

    def cancel(self) -> None:
        """Cancel the call."""
        self._call = None

    @property
    def is_cancelled(self) -> bool:
        """True if the call was cancelled or has been made."""
        return self._call is None

    def fire(self) -> None:
        """Make the call, once."""
        call, self._call = self._call, None
        if call is not None:
            call()


class EventLoop:
    """A thread that waits for file descriptors, timers and calls from other threads, and never polls."""

    def __init__(self, name: str) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._calls: deque[Callable[[], object]] = deque()
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        self._running = True
        self._finished = False
        self._finishing_lock = threading.Lock()
        self._before_each_wait: list[Callable[[], object]] = []
        self._selector.register(self._wake_reader, READ, self._drain_wakes)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Run the calls that are queued, end the thread and close its descriptors."""
        self.post(self._end_loop)
        self._thread.join()

    def close_in_child(self) -> None:
        """Close the files in a forked child, in which the thread does not run."""
        self._finishing_lock = threading.Lock()  # the thread may have held it during the fork
        self._finished = True
        self._close_files()

    def now(self) -> float:
        """Return the time of the timers, in seconds."""
        return monotonic()

    def post(self, call: Callable[[], object]) -> None:
        """Queue a call for the loop, from any thread."""
        self._calls.append(call)
        try:
            self._wake_writer.send(b"\0")
        except BlockingIOError:
            pass  # enough wake-ups are pending
        except OSError:
            self._drop_calls()

    def call(self, function: Callable[[], T]) -> T:
        """Run a function on the loop, from any thread, and return its result."""
        if threading.current_thread() is self._thread:
            return function()
        done: Future[T] = Future()

        def run() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                done.set_result(function())
            except BaseException as error:
                done.set_exception(error)

        with self._finishing_lock:
            if self._finished:
                raise RuntimeError("this simulated module is closed")
            self.post(run)
        return done.result()

    def call_at(self, due: float, call: Callable[[], object]) -> Timer:
        """Run a call when `now()` reaches `due`."""
        timer = Timer(due, call)
        heapq.heappush(self._timers, (due, next(self._order), timer))
        return timer

    def call_later(self, delay: float, call: Callable[[], object]) -> Timer:
        """Run a call in `delay` seconds."""
        return self.call_at(monotonic() + delay, call)

    def before_each_wait(self, call: Callable[[], object]) -> None:
        """Run a call each time before the loop waits."""
        self._before_each_wait.append(call)

    def watch(self, source: HasFileno | int, events: int, call: Callable[[int], object]) -> None:
        """Run a call with the ready events whenever `source` is ready; replaces an earlier watch."""
        try:
            self._selector.modify(source, events, call)
        except KeyError:
            self._selector.register(source, events, call)

    def unwatch(self, source: HasFileno | int) -> None:
        """Stop watching `source`."""
        with contextlib.suppress(KeyError, ValueError):  # never watched, or closed already
            self._selector.unregister(source)

    def _run(self) -> None:
        try:
            while self._running:
                self._run_once()
        finally:
            with self._finishing_lock:
                self._finished = True
            self._close_files()
            self._timers.clear()
            self._before_each_wait.clear()

    def _close_files(self) -> None:
        self._selector.close()
        self._wake_reader.close()
        self._wake_writer.close()

    def _run_once(self) -> None:
        for key, events in self._selector.select(self._time_to_wait()):
            if self._is_watched(key):
                self._guard(partial(key.data, events))
        while self._calls:
            self._guard(self._calls.popleft())
        now = monotonic()
        while self._timers and self._timers[0][0] <= now:
            self._guard(heapq.heappop(self._timers)[2].fire)
        for call in self._before_each_wait:
            self._guard(call)

    def _is_watched(self, key: selectors.SelectorKey) -> bool:
        """Return whether a ready source is still watched: an earlier call may have closed it."""
        try:
            return bool(self._selector.get_key(key.fileobj).data == key.data)
        except (KeyError, ValueError):
            return False

    def _time_to_wait(self) -> float | None:
        while self._timers and self._timers[0][2].is_cancelled:
            heapq.heappop(self._timers)
        if self._calls:
            return 0.0
        if not self._timers:
            return None
        return max(0.0, self._timers[0][0] - monotonic())

    def _guard(self, call: Callable[[], Any]) -> None:
        try:
            call()
        except Exception:
            logger.exception("internal error of the simulated module")

    def _drain_wakes(self, _events: int) -> None:
        try:
            while self._wake_reader.recv(4096):
                pass
        except BlockingIOError:
            pass

    def _end_loop(self) -> None:
        self._running = False

    def _drop_calls(self) -> None:
        self._calls.clear()
