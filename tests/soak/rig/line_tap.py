"""Records everything that a simulated module puts on its line, and everything that it publishes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.simulator.answer import Answer
from simcom_mqtt.simulator.message_block import block_parts
from simcom_mqtt.simulator.module_client import Client

from .block_outcomes import Block, BlockTracker, CountedBuffer
from .message_ids import MessageId

ReadMessageId = Callable[[bytes, bytes], MessageId | None]
"""Returns the id of the message with this topic and payload, or None if no such message was sent."""


@dataclass(frozen=True)
class Published:
    """A publish that the module carried out."""

    message_id: MessageId | None
    """None if the message is not one that the driver was given."""
    qos: int
    duplicate: bool


class LineTap:
    """Tap of one module from its start on. All methods must be called on the module's thread."""

    def __init__(self, modem: SimulatedModem, read: ReadMessageId) -> None:
        self._modem = modem
        self._module = modem._module
        self._read = read
        self._buffer = CountedBuffer()
        self._tracker = BlockTracker(self._buffer)
        self._published: list[Published] = []
        self._cut: tuple[str, float] | None = None
        self._is_paused = False
        self.unrecorded = 0
        """Number of blocks put on the line while the tap was paused."""
        self._print_message = self._module.message_arrived
        modem._loop.call(self._install)

    def cut_next(self, fault: str, share: float) -> None:
        """Injects the fault when this share of the next message is on the line, and drops the rest."""
        self._cut = fault, share

    def cancel_cut(self) -> None:
        """Cancels `cut_next`."""
        self._cut = None

    def pause(self, paused: bool) -> None:
        """Stops or resumes recording the blocks that are put on the line."""
        self._is_paused = paused

    def forget_unread(self, bytes_read: int) -> None:
        """After an unplug: records that the driver has read this many bytes and will not get the rest."""
        self._buffer.drop_unread(self._buffer.taken - bytes_read)

    def blocks(self) -> list[Block]:
        """Returns the message blocks whose outcome has become known since the last call, in their order."""
        return self._tracker.known()

    def published(self) -> list[Published]:
        """Returns all publishes that the module handed to its connections."""
        return self._published

    def bytes_sent(self) -> int:
        """Returns the number of bytes that the host's operating system took and did not lose."""
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
        message_id = self._read(topic, payload)
        # Without a host on the port, nothing is put on the line.
        if self._buffer.put > start and self._is_paused:
            self.unrecorded += 1
        elif self._buffer.put > start and message_id is not None:
            parts = block_parts(self._module.profile, client.index, topic, payload)
            self._tracker.sent(message_id, parts, start, inserted, damage)
            self._cut_short(start)

    def _cut_short(self, start: int) -> None:
        if self._cut is None:
            return
        (fault, share), self._cut = self._cut, None
        self._buffer.cut_short(int((self._buffer.put - start) * (1 - share)))
        self._modem._line.flush()
        getattr(self._modem, fault)()
