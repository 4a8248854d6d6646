"""An operation in flight: CONNECT, PUB, SUB or UNSUB."""

from collections.abc import Callable

from .answer import Answer
from .event_loop import EventLoop
from .result_codes import TIMEOUT


class Operation:
    """One operation of one client. It ends once: with its outcome or its timeout."""

    def __init__(
        self, loop: EventLoop, answer: Answer, timeout: float, ended: Callable[[int], object]
    ) -> None:
        self._answer = answer
        self._ended: Callable[[int], object] | None = ended
        self._timer = loop.call_later(timeout, lambda: self.end(TIMEOUT))

    def end(self, code: int) -> None:
        """Send the result code to the host; later outcomes of the same operation are dropped."""
        ended, self._ended = self._ended, None
        if ended is None:
            return
        self._timer.cancel()
        ended(code)
        self._answer.conclude(code)

    def drop(self) -> None:
        """End the operation without an answer."""
        self._ended = None
        self._timer.cancel()
