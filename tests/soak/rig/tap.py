"""Between a simulated module and its line: remembers what the module put on it, and what it published."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.simulator.answer import Answer
from simcom_mqtt.simulator.client import Client
from simcom_mqtt.simulator.message_block import block_parts

from .fates import Block, CountedBuffer, Fates
from .marks import Mark

ReadMark = Callable[[bytes, bytes], Mark | None]
"""Tells which message this topic and payload are; None if they are none that was sent."""


@dataclass(frozen=True)
class Published:
    """A publish that the module carried out."""

    mark: Mark | None
    """None: it is not what the driver was given."""
    qos: int
    duplicate: bool


class Tap:
    """Of one module, from its beginning on. To be asked on the module's own thread."""

    def __init__(self, modem: SimulatedModem, read: ReadMark) -> None:
        self._modem = modem
        self._module = modem._module
        self._read = read
        self._buffer = CountedBuffer()
        self._fates = Fates(self._buffer)
        self._published: list[Published] = []
        self._cut: tuple[str, float] | None = None
        self._looks_away = False
        self.unseen = 0
        """Blocks put on the line while it looked away."""
        self._print_message = self._module.message_arrived
        modem._loop.call(self._install)

    def cut_next(self, fault: str, share: float) -> None:
        """Strike when so much of the next message is on the line, and the rest will never be."""
        self._cut = fault, share

    def cut_nothing(self) -> None:
        """Let the next message pass whole after all."""
        self._cut = None

    def look_away(self, away: bool) -> None:
        """Leave the blocks that are put on the line out of the account for a while."""
        self._looks_away = away

    def unread(self, bytes_read: int) -> None:
        """After an unplug: the driver has read so many bytes in all, and will not get the rest."""
        self._buffer.drop_unread(self._buffer.taken - bytes_read)

    def blocks(self) -> list[Block]:
        """The message blocks whose fate has become known since this was called before, in their order."""
        return self._fates.known()

    def published(self) -> list[Published]:
        """All publishes that the module handed to its connections."""
        return self._published

    def bytes_sent(self) -> int:
        """What the host's operating system took, and did not lose."""
        return self._buffer.taken

    def _install(self) -> None:
        self._modem._line._out = self._buffer
        self._module.message_arrived = self._message_arrived  # type: ignore[method-assign]
        for client in self._module.clients:
            client.publish = partial(self._publish, client, client.publish)  # type: ignore[method-assign]

    def _publish(
        self,
        client: Client,
        publish: Callable[[Answer, int, float, bool, bool], None],
        answer: Answer,
        qos: int,
        timeout: float,
        retain: bool,
        duplicate: bool,
    ) -> None:
        acquired = client.acquisition
        staged = None if acquired is None else (acquired.topic or b"", acquired.payload)
        publish(answer, qos, timeout, retain, duplicate)
        if staged is not None and answer.failure is None:
            self._published.append(Published(self._read(*staged), qos, duplicate))

    def _message_arrived(self, client: Client, topic: bytes, payload: bytes) -> None:
        faults = self._module.faults
        inserted = faults._gaps.get("between_parts", b"")
        damage = faults._damages[0] if faults._damages else None
        start = self._buffer.put
        self._print_message(client, topic, payload)
        mark = self._read(topic, payload)
        # Without a host on the port nothing is put on the line.
        if self._buffer.put > start and self._looks_away:
            self.unseen += 1
        elif self._buffer.put > start and mark is not None:
            parts = block_parts(self._module.profile, client.index, topic, payload)
            self._fates.sent(mark, parts, start, inserted, damage)
            self._cut_short(start)

    def _cut_short(self, start: int) -> None:
        if self._cut is None:
            return
        (fault, share), self._cut = self._cut, None
        self._buffer.cut_short(int((self._buffer.put - start) * (1 - share)))
        self._modem._line.flush()
        getattr(self._modem, fault)()
