"""Something the network still owes an answer to: CONNECT, PUB, SUB, UNSUB."""

from collections.abc import Callable

from .answer import Answer
from .engine import Engine
from .result_codes import TIMEOUT


class Operation:
    """One operation of one client, ended once: by its outcome or by its time-out."""

    def __init__(
        self, engine: Engine, answer: Answer, timeout: float, ended: Callable[[int], object]
    ) -> None:
        self._answer = answer
        self._ended: Callable[[int], object] | None = ended
        self._timer = engine.call_later(timeout, lambda: self.end(TIMEOUT))

    def end(self, code: int) -> None:
        """Tell the host the result code; later outcomes of the same operation are not told."""
        ended, self._ended = self._ended, None
        if ended is None:
            return
        self._timer.cancel()
        ended(code)
        self._answer.conclude(code)

    def drop(self) -> None:
        """End it without a word: the module has no power, or nobody to tell."""
        self._ended = None
        self._timer.cancel()
