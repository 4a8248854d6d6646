"""A simulated module in a process of its own, told what to suffer, asked what it put on the line."""

import logging
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Self, cast

from simcom_mqtt.simulator import SimulatedModem

from .fates import Block
from .marks import read_mark
from .tap import Published, Tap


class Simulation:
    """The process, while the `with` block runs."""

    def __init__(self, broker: str, profile: str, seed: int | None) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, broker, profile, seed), daemon=True)
        self._process.start()
        theirs.close()
        self.port = cast(str, self._pipe.recv())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._pipe.close()
        self._process.join(10)

    def suffer(self, fault: str, *arguments: Any) -> None:
        """Call one of the fault methods of `SimulatedModem`."""
        self._ask(fault, *arguments)

    def suffer_within_a_message(self, fault: str, share: float) -> None:
        """… when so much of the next message is on the line, and the rest will never be."""
        self._ask("cut_next", fault, share)

    def unread(self, bytes_read: int) -> None:
        """After an unplug: the driver has read so many bytes in all, and will not get the rest."""
        self._ask("unread", bytes_read)

    def blocks(self) -> list[Block]:
        """The message blocks whose fate has become known since this was called before, in their order."""
        return cast(list[Block], self._ask("blocks"))

    def published(self) -> list[Published]:
        """All publishes that the module handed to its connections."""
        return cast(list[Published], self._ask("published"))

    def bytes_sent(self) -> int:
        """What the host's operating system took, and did not lose."""
        return cast(int, self._ask("bytes_sent"))

    def _ask(self, what: str, *arguments: Any) -> Any:
        self._pipe.send((what, arguments))
        return self._pipe.recv()


def _serve(pipe: Connection, broker: str, profile: str, seed: int | None) -> None:
    logging.getLogger("simcom_mqtt").setLevel(logging.ERROR)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the soak itself ends it
    with SimulatedModem(broker=broker, profile=profile, seed=seed) as modem:
        tap = Tap(modem, read_mark)
        pipe.send(modem.port)
        while True:
            try:
                what, arguments = pipe.recv()
            except EOFError:
                return
            target: Any = tap if hasattr(tap, what) else modem
            call: Callable[[], Any] = lambda: getattr(target, what)(*arguments)  # noqa: B023, E731
            pipe.send(modem._loop.call(call))
