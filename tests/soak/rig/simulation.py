"""A simulated module in a process of its own, told what to suffer, asked what it put on the line."""

import logging
import multiprocessing
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Self, cast

from simcom_mqtt.simulator import PROFILES, SimulatedModem
from simcom_mqtt.simulator.client import Client
from simcom_mqtt.simulator.mqtt import MqttConnection

from .fates import Block, CountedBuffer, Fates
from .marks import Mark, read_mark


@dataclass(frozen=True)
class Published:
    """A publish that the module carried out."""

    mark: Mark | None
    """None: it is not what the driver was given."""
    qos: int
    duplicate: bool


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


class _Tap:
    """Between a module and its line."""

    def __init__(self, modem: SimulatedModem, profile: str) -> None:
        self._modem = modem
        self._module = modem._module
        self._buffer = CountedBuffer()
        self._fates = Fates(PROFILES[profile], self._buffer)
        self._published: list[Published] = []
        self._cut: tuple[str, float] | None = None
        self._print_message = self._module.message_arrived
        modem._engine.call(self._install)

    def _install(self) -> None:
        self._modem._line._out = self._buffer
        self._module.message_arrived = self._message_arrived  # type: ignore[method-assign]
        publish = MqttConnection.publish

        def recording(
            connection: MqttConnection, topic: bytes, payload: bytes, qos: int, retain: bool, *others: Any
        ) -> None:
            dup, _done = others
            self._published.append(Published(read_mark(topic, payload), qos, dup))
            publish(connection, topic, payload, qos, retain, *others)

        MqttConnection.publish = recording  # type: ignore[method-assign, assignment]

    def _message_arrived(self, client: Client, topic: bytes, payload: bytes) -> None:
        faults = self._module.faults
        inserted = faults._gaps.get("between_parts", b"")
        damage = faults._damages[0] if faults._damages else None
        start = self._buffer.put
        self._print_message(client, topic, payload)
        mark = read_mark(topic, payload)
        # Without a host on the port nothing is put on the line.
        if self._buffer.put > start and mark is not None:
            self._fates.sent(mark, start, inserted, damage)
            self._cut_short(start)

    def _cut_short(self, start: int) -> None:
        if self._cut is None:
            return
        (fault, share), self._cut = self._cut, None
        self._buffer.cut_short(int((self._buffer.put - start) * (1 - share)))
        self._modem._line.flush()
        getattr(self._modem, fault)()

    def cut_next(self, fault: str, share: float) -> None:
        self._cut = fault, share

    def unread(self, bytes_read: int) -> None:
        self._buffer.drop_unread(self._buffer.taken - bytes_read)

    def blocks(self) -> list[Block]:
        return self._fates.known()

    def published(self) -> list[Published]:
        return self._published

    def bytes_sent(self) -> int:
        return self._buffer.taken


def _serve(pipe: Connection, broker: str, profile: str, seed: int | None) -> None:
    logging.getLogger("simcom_mqtt").setLevel(logging.ERROR)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the soak itself ends it
    with SimulatedModem(broker=broker, profile=profile, seed=seed) as modem:
        tap = _Tap(modem, profile)
        pipe.send(modem.port)
        while True:
            try:
                what, arguments = pipe.recv()
            except EOFError:
                return
            target: Any = tap if hasattr(tap, what) else modem
            call: Callable[[], Any] = lambda: getattr(target, what)(*arguments)  # noqa: B023, E731
            pipe.send(modem._engine.call(call))
