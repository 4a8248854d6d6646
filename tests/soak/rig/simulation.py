"""A simulated module in a process of its own, with fault injection and a line tap."""

import logging
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Self, cast

from simcom_mqtt.simulator import SimulatedModem

from .block_outcomes import Block
from .line_tap import LineTap, Published
from .message_ids import read_message_id


class Simulation:
    """The module's process, which runs while the `with` block does."""

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

    def inject_fault(self, fault: str, *arguments: Any) -> None:
        """Calls a fault method of `SimulatedModem`."""
        self._call(fault, *arguments)

    def inject_fault_within_message(self, fault: str, share: float) -> None:
        """Calls a fault method when this share of the next message is on the line, and drops the rest."""
        self._call("cut_next", fault, share)

    def forget_unread(self, bytes_read: int) -> None:
        """After an unplug: records that the driver has read this many bytes and will not get the rest."""
        self._call("forget_unread", bytes_read)

    def blocks(self) -> list[Block]:
        """Returns the message blocks whose outcome has become known since the last call, in their order."""
        return cast(list[Block], self._call("blocks"))

    def published(self) -> list[Published]:
        """Returns all publishes that the module handed to its connections."""
        return cast(list[Published], self._call("published"))

    def bytes_sent(self) -> int:
        """Returns the number of bytes that the host's operating system took and did not lose."""
        return cast(int, self._call("bytes_sent"))

    def _call(self, method: str, *arguments: Any) -> Any:
        self._pipe.send((method, arguments))
        return self._pipe.recv()


def _serve(pipe: Connection, broker: str, profile: str, seed: int | None) -> None:
    logging.getLogger("simcom_mqtt").setLevel(logging.ERROR)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the soak ends this process
    with SimulatedModem(broker=broker, profile=profile, seed=seed) as modem:
        line_tap = LineTap(modem, read_message_id)
        pipe.send(modem.port)
        while True:
            try:
                method, arguments = pipe.recv()
            except EOFError:
                return
            target: Any = line_tap if hasattr(line_tap, method) else modem
            call: Callable[[], Any] = lambda: getattr(target, method)(*arguments)  # noqa: B023, E731
            pipe.send(modem._loop.call(call))
