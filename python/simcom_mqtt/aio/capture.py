"""Waits for messages, without a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Self

from simcom_mqtt._native import Inbox, Message
from simcom_mqtt.types import Topic

__all__ = ["Capture", "Messages", "wait_for_message"]


class Capture:
    """The messages of a client that match a filter, as `Capture`. Made by `MqttClient.capture`."""

    def __init__(self, inbox: Inbox, filter: Topic) -> None:  # noqa: A002 - the word of MQTT
        self._inbox = inbox
        self._filter = filter
        self._arrivals = _Arrivals(inbox)

    @property
    def messages(self) -> list[Message]:
        """`Capture.messages`."""
        return self._inbox.messages

    def __len__(self) -> int:
        return len(self._inbox)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._inbox.messages)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop collecting, as `Capture.__exit__`."""
        self._inbox.end()

    async def get(self, timeout: float = 10.0) -> Message:
        """`Capture.get`, awaited. If cancelled, the message stays for the next call."""
        deadline = self._arrivals.deadline(timeout)
        while (message := self._inbox.next()) is None:
            if not await self._arrivals.wait(deadline):
                raise self._missing("no further message", timeout)
        return message

    async def wait_count(self, n: int, timeout: float = 10.0) -> list[Message]:
        """`Capture.wait_count`, awaited."""
        deadline = self._arrivals.deadline(timeout)
        while len(self._inbox) < n:
            if not await self._arrivals.wait(deadline, n):
                raise self._missing(f"{len(self._inbox)} of {n} messages", timeout)
        return self._inbox.messages

    def _missing(self, what: str, timeout: float) -> Exception:
        why = ", and the capture has ended" if self._inbox.has_ended else f" within {timeout:g} s"
        return self._inbox.missing(f'{what} on "{_shown(self._filter)}"{why}')

    def __repr__(self) -> str:
        return f"<Capture of {_shown(self._filter)!r}: {len(self._inbox)} messages>"

    def _repr_html_(self) -> str:
        from simcom_mqtt.tables import messages

        return messages(_shown(self._filter), self._inbox.messages)


class Messages:
    """Asynchronous iterator over messages, each returned once. Made by `MqttClient.messages`.

    Collects until `aclose()`, or until the last reference to it is gone.
    """

    def __init__(self, inbox: Inbox, timeout: float | None) -> None:
        self._inbox = inbox
        self._timeout = timeout
        self._arrivals = _Arrivals(inbox)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        deadline = self._arrivals.deadline(self._timeout)
        while (message := self._inbox.next(forget=True)) is None:
            if not await self._arrivals.wait(deadline):
                raise StopAsyncIteration
        return message

    async def aclose(self) -> None:
        """Stop collecting: the iteration ends after the messages so far. For `contextlib.aclosing`."""
        self._inbox.end()


async def wait_for_message(
    inbox: Inbox,
    filter: Topic,  # noqa: A002 - the word of MQTT
    timeout: float,
    match: Callable[[Message], bool] | None,
) -> Message:
    """Return the first message in `inbox` that matches."""
    arrivals = _Arrivals(inbox)
    deadline = arrivals.deadline(timeout)
    while True:
        message = inbox.next()
        if message is None:
            if not await arrivals.wait(deadline):
                raise inbox.missing(f'no message on "{_shown(filter)}" within {timeout:g} s')
        elif message.matches(filter) and (match is None or match(message)):
            return message


class _Arrivals:
    """Waits for messages in an inbox. Takes none out, so that a cancelled wait loses none."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        # Futures of cancelled waits, kept for the next wait for the same count, so that they do not pile up.
        self._awaited: dict[int | None, asyncio.Future[None]] = {}

    def deadline(self, timeout: float | None) -> float | None:
        """Return when a wait that begins now times out."""
        # A loss of connection before the wait does not end it.
        self._awaited = {count: arrival for count, arrival in self._awaited.items() if not arrival.done()}
        if timeout is None:
            return None
        return asyncio.get_running_loop().time() + Inbox.check_timeout(timeout)

    async def wait(self, deadline: float | None, count: int | None = None) -> bool:
        """Wait for a message, or `count` in all; return False at the deadline or the end of the inbox."""
        if self._inbox.has_ended:
            return False
        arrival = self._awaited.get(count)
        if arrival is None or arrival.done():
            arrival = self._awaited[count] = asyncio.wrap_future(self._inbox.arrival(count))
            arrival.add_done_callback(_retrieve_exception)
        left = None if deadline is None else max(0.0, deadline - asyncio.get_running_loop().time())
        await asyncio.wait([arrival], timeout=left)
        if not arrival.done():
            return False
        arrival.result()
        return True


def _retrieve_exception(arrival: asyncio.Future[None]) -> None:
    # asyncio warns about an exception that is never retrieved, as after a cancelled wait.
    if not arrival.cancelled():
        arrival.exception()


def _shown(filter: Topic) -> str:  # noqa: A002 - the word of MQTT
    return filter if isinstance(filter, str) else filter.decode("utf-8", "backslashreplace")
