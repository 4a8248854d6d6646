"""The state of the module, and its unsolicited result codes."""

from typing import Final

from .answer import Answer, framed
from .client import Client
from .clock import Clock
from .connection_attempt import Destination
from .event_loop import EventLoop, Timer, logger
from .faults import Faults
from .identity import Identity
from .line import Line
from .message_block import block_parts
from .profiles import Profile
from .radio_network import Network
from .result_codes import LOST_NETWORK, NETWORK_NOT_OPENED, TIMEOUT
from .ssl_context import SSL_CONTEXTS, SslSettings
from .terminal import Terminal

CLIENTS: Final = 2
LONGEST_INBOUND_TOPIC: Final = 1024
LONGEST_INBOUND_PAYLOAD: Final = 10_240
OUTPUT_HIGH: Final = 65_536
OUTPUT_LOW: Final = 16_384
BOOT_TIME: Final = 0.5
FULL_FUNCTIONALITY: Final = 1
RADIO_OFF: Final = (0, 4)


class Module:
    """A SIM7672X module. All methods run on the thread of the event loop."""

    def __init__(
        self,
        loop: EventLoop,
        line: Line,
        profile: Profile,
        identity: Identity,
        broker: Destination | None,
        baud_rate: int,
    ) -> None:
        self._broker = broker
        self._is_throttled = False
        self._boot_timer: Timer | None = None
        self._line = line
        self._power_on_baud_rate = baud_rate
        self.faults = Faults()
        self.terminal = Terminal(line, profile, self.faults)
        self.loop = loop
        self.profile = profile
        self.identity = identity
        self.network = Network()
        self.clock = Clock()
        self.files: dict[str, bytes] = {}
        self.received: list[str] = []
        self.error_format = 2
        self.baud_rate = baud_rate
        self.functionality = FULL_FUNCTIONALITY
        self.is_started = False
        self._ssl = _default_ssl_settings()
        self.clients = [
            Client(self, index, profile.codes.connect_while_connected) for index in range(CLIENTS)
        ]

    def power_off(self) -> None:
        """Lose everything that is not in flash memory, without output."""
        if self._boot_timer is not None:
            self._boot_timer.cancel()
            self._boot_timer = None
        self.terminal.reset()
        self.close()
        self.error_format = 2
        self.set_baud_rate(self._power_on_baud_rate)
        self.functionality = FULL_FUNCTIONALITY
        self.network.radio_is_on = True
        self._ssl = _default_ssl_settings()

    def close(self) -> None:
        """Drop the service, its clients and their sockets."""
        for client in self.clients:
            client.power_off()
        self.is_started = False

    def reset(self) -> None:
        """Return to the state of a new module."""
        self.faults.clear()
        self.network = Network()
        self.clock = Clock()
        self.power_off()
        self.files.clear()
        self.received.clear()

    def ssl_settings(self, context: int) -> SslSettings:
        """Return one of the ten SSL contexts."""
        return self._ssl[context]

    @property
    def cell(self) -> str:
        """The parameters of `+CPSI` in service."""
        return self.profile.cell if self.network.cell is None else self.network.cell

    def destination(self, host: str, port: int) -> Destination:
        """Return the address that a connection to `host` is made to."""
        if self._broker is None:
            return Destination(host, host, port)
        return Destination(host, self._broker.address, self._broker.port)

    def urc(self, line: str) -> None:
        """Send an unsolicited result code."""
        self.terminal.write(framed(line))

    def connection_lost(self, client: Client, cause: int) -> None:
        """Report a lost connection."""
        self.urc(f"+CMQTTCONNLOST: {client.index},{cause}")

    def network_lost(self) -> None:
        """Report the loss of the network, and end connections and service."""
        was_started = self.is_started
        for client in self.clients:
            client.lose_connection(NETWORK_NOT_OPENED, LOST_NETWORK)
        if was_started:
            self.urc("+CMQTTNONET")
        self.close()

    def ping_failed(self, client: Client) -> None:
        """Report a keep-alive that the broker did not answer, on firmware that has this URC."""
        if self.profile.reports_failed_ping:
            self.urc(f"+CMQTTPING: {client.index},{TIMEOUT}")

    def set_functionality(self, functionality: int) -> None:
        """Apply AT+CFUN: without radio the module has no network."""
        self.functionality = functionality
        self.set_service(radio_is_on=functionality not in RADIO_OFF)

    def set_service(self, *, radio_is_on: bool | None = None, has_coverage: bool | None = None) -> None:
        """Update radio and coverage, and report a loss of the network."""
        network = self.network
        was_in_service = network.in_service
        if radio_is_on is not None:
            network.radio_is_on = radio_is_on
        if has_coverage is not None:
            network.has_coverage = has_coverage
        if was_in_service and not network.in_service:
            self.network_lost()

    def set_baud_rate(self, baud_rate: int) -> None:
        """Apply AT+IPR after the waiting output is out."""
        self.baud_rate = baud_rate
        self._line.set_baud_rate(baud_rate)

    def restart(self) -> None:
        """Restart like AT+CRESET: report live sessions as lost, then boot."""
        if any(client.is_connected for client in self.clients):
            self.network_lost()
        self.boot()

    def boot(self) -> None:
        """Lose everything that is not in flash memory, stay silent for a while, then send the boot lines."""
        self.power_off()
        self._boot_timer = self.loop.call_later(BOOT_TIME, self._booted)

    def message_arrived(self, client: Client, topic: bytes, payload: bytes) -> None:
        """Send an inbound message as one block."""
        if len(topic) > LONGEST_INBOUND_TOPIC or len(payload) > LONGEST_INBOUND_PAYLOAD:
            logger.warning(
                "dropped a message with a topic of %d and a payload of %d bytes: too long for the module",
                len(topic),
                len(payload),
            )
            return
        parts = block_parts(self.profile, client.index, topic, payload)
        parts.insert(2, self.faults.take_inserted("between_parts"))
        block = b"".join(parts)
        damage = self.faults.take_damage()
        self.terminal.write(block if damage is None else damage.apply(block))

    def throttle_brokers(self) -> None:
        """Stop reading from the brokers while too much output waits for the host."""
        waiting = self._line.waiting
        throttle = waiting > (OUTPUT_LOW if self._is_throttled else OUTPUT_HIGH)
        if throttle != self._is_throttled:
            self._is_throttled = throttle
            for client in self.clients:
                client.pause(throttle)

    def receive(self, data: bytes) -> None:
        """Process the host's bytes; a booting module ignores them."""
        if self._boot_timer is None:
            self.terminal.feed(data)

    def _booted(self) -> None:
        self._boot_timer = None
        for line in self.profile.boot_lines:
            self.urc(line)

    def refuse_with(self, answer: Answer, code: int, text: str) -> None:
        """Answer with an equipment error in the format of AT+CMEE."""
        if self.error_format == 0:
            answer.error()
        elif self.error_format == 1:
            answer.final(f"+CME ERROR: {code}")
        else:
            answer.final(f"+CME ERROR: {text}")


def _default_ssl_settings() -> list[SslSettings]:
    return [SslSettings() for _ in range(SSL_CONTEXTS)]
