"""The state of the module, and its unsolicited result codes."""

from datetime import datetime
from typing import Final

from .answer import framed
from .clock import Clock
from .connection_attempt import Destination
from .event_loop import EventLoop, Timer, logger
from .faults import Faults
from .identity import Identity
from .line import Line
from .message_block import block_parts
from .module_client import Client
from .packet_data import PacketData
from .positioning import Receiver
from .profiles import CARD_LINE, CONTEXT_LINE, SIM_LINES, Profile
from .radio_network import LTE, OperatorSelection, RadioNetwork, Registration, area_and_cell
from .result_codes import LOST_NETWORK, NETWORK_NOT_OPENED, TIMEOUT
from .sim_card import SimCard
from .simple_settings import SimpleSettings
from .ssl_context import SSL_CONTEXTS, SslSettings
from .taught_answers import TaughtAnswers
from .terminal import Terminal

CLIENTS: Final = 2
LONGEST_INBOUND_TOPIC: Final = 1024
LONGEST_INBOUND_PAYLOAD: Final = 10_240
OUTPUT_HIGH: Final = 65_536
OUTPUT_LOW: Final = 16_384
BOOT_TIME: Final = 0.5
FULL_FUNCTIONALITY: Final = 1
RADIO_OFF: Final = (0, 4)
FACTORY_ERROR_FORMAT: Final = 2
REPORT_WITH_CELL: Final = 2
RECEIVER_START_TIME: Final = 0.1


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
        self._default_baud_rate = baud_rate
        self._receiver_timer: Timer | None = None
        self._reported: dict[str, str] = {}
        self.faults = Faults()
        self.terminal = Terminal(line, profile, self.faults)
        self.loop = loop
        self.profile = profile
        self.identity = identity
        self._set_defaults()
        self.taught = TaughtAnswers()
        self.files: dict[str, bytes] = {}
        self.received: list[str] = []
        self.error_format = FACTORY_ERROR_FORMAT
        self.baud_rate = baud_rate
        self.functionality = FULL_FUNCTIONALITY
        self.is_started = False
        self._ssl = _default_ssl_settings()
        self.clients = [
            Client(self, index, profile.codes.connect_while_connected) for index in range(CLIENTS)
        ]
        self.power_off()

    def power_off(self) -> None:
        """Lose everything that is not in flash memory, without output."""
        for timer in (self._boot_timer, self._receiver_timer):
            if timer is not None:
                timer.cancel()
        self._boot_timer = self._receiver_timer = None
        self.terminal.reset()
        self.close()
        self.restore_stored_settings()
        self.settings = SimpleSettings()
        self.set_baud_rate(self._power_on_baud_rate)
        self.functionality = FULL_FUNCTIONALITY
        self.network.radio_is_on = True
        self.network.reports.clear()
        self._reported.clear()
        self.clock.reports_zone = False
        self.receiver.is_on = False
        self._ssl = _default_ssl_settings()
        self.restart_quietly()

    def restart_quietly(self) -> None:
        """Let SIM card, network and contexts start up without output."""
        self.sim.power_on()
        self.data.power_on()
        self._registration = self.registration
        self.data.follow_registration(self.is_registered)
        self._was_in_service = self.in_service

    def close(self) -> None:
        """Drop the service, its clients and their sockets."""
        for client in self.clients:
            client.power_off()
        self.is_started = False

    def reset(self) -> None:
        """Return to the state of a new module."""
        self.faults.clear()
        self._set_defaults()
        self.power_off()
        self.files.clear()
        self.received.clear()
        self.taught.clear()

    def _set_defaults(self) -> None:
        self.network = RadioNetwork()
        self.sim = SimCard()
        self.data = PacketData()
        self.clock = Clock()
        self.receiver = Receiver()
        self.settings = SimpleSettings()
        self._stored_echo, self._stored_error_format = True, FACTORY_ERROR_FORMAT
        self._power_on_baud_rate = self._default_baud_rate

    @property
    def now(self) -> datetime:
        """The time of the module's clock."""
        return self.clock.now()

    @property
    def connects_with_tls(self) -> bool:
        """False on firmware that fails each CONNECT with TLS."""
        return self.profile.connects_with_tls

    def ssl_settings(self, context: int) -> SslSettings:
        """Return one of the ten SSL contexts."""
        return self._ssl[context]

    @property
    def cell(self) -> str:
        """The parameters of `+CPSI` in service."""
        if self.network.cell is not None:
            return self.network.cell
        technology = self.network.technology
        return self.profile.cell if technology is None or not technology.cell else technology.cell

    @property
    def registration(self) -> Registration:
        """The registration status."""
        return self.network.registration(sim_is_ready=self.sim.is_ready)

    @property
    def is_registered(self) -> bool:
        """True if the module is registered in a network."""
        return self.registration is Registration.HOME

    @property
    def in_service(self) -> bool:
        """True if the module is registered and a context for data is active."""
        return self.is_registered and self.data.is_active

    def registration_text(self, command: str) -> str:
        """Return the status that AT+CREG?, AT+CGREG? or AT+CEREG? shows; with the cell after AT+CREG=2."""
        status: int = self.registration
        technology = self.network.technology
        if command == "CEREG" and self.is_registered and technology is not LTE:
            status = Registration.UNKNOWN
        if (
            self.network.reports.get(command, 0) != REPORT_WITH_CELL
            or technology is None
            or not self.is_registered
        ):
            return str(status)
        area, cell = area_and_cell(self.cell)
        return f'{status},"{area}","{cell}",{technology.access}'

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
        if self.functionality in RADIO_OFF and functionality == FULL_FUNCTIONALITY:
            self.sim.is_inserted = True
        self.functionality = functionality
        self.network.radio_is_on = functionality not in RADIO_OFF
        self.update_network()

    def set_coverage(self, has_coverage: bool) -> None:
        """Enter or leave the coverage of the network."""
        self.network.has_coverage = has_coverage
        self.update_network()

    def select_operator(self, *, registers: bool) -> None:
        """Apply AT+COPS: register in the network, or leave it."""
        selection = OperatorSelection("", Registration.SEARCHING)
        self.network.selection = None if registers else selection
        self.update_network()

    def select_mode(self, mode: int) -> None:
        """Apply AT+CNMP: use other technologies, and search for a network again."""
        self.network.mode = mode
        if self.registration is Registration.SEARCHING:
            self.network.selection = None
        self.update_network()

    def sim_unlocked(self) -> None:
        """Start up the SIM card after its PIN or PUK."""
        self.urc(f"+CPIN: {self.sim.state}")
        self.update_network()
        for line in SIM_LINES:
            self.urc(line)

    def update_network(self) -> None:
        """Follow a change of registration or contexts: report it, and end the service without data."""
        registration = self.registration
        has_changed, self._registration = registration is not self._registration, registration
        self.data.follow_registration(self.is_registered)
        was_in_service, self._was_in_service = self._was_in_service, self.in_service
        if was_in_service and not self.in_service:
            self.network_lost()
        for command, reported in sorted(self._reported.items()):
            text = self.registration_text(command)
            if text != reported:
                self._reported[command] = text
                self.urc(f"+{command}: {text}")
        if has_changed:
            self.receive_network_time()

    def report_registration(self, command: str, report: int) -> None:
        """Apply AT+CREG=<n> and so on: report each change of status, and of the cell if n is 2."""
        self.network.reports[command] = report
        self._reported.pop(command, None)
        if report:
            self._reported[command] = self.registration_text(command)

    def receive_network_time(self) -> None:
        """Set the clock from the network if AT+CTZU is on, and report its time if AT+CTZR is on."""
        if not self.is_registered:
            return
        if self.clock.follows_network:
            self.clock.synchronize()
        if self.clock.reports_zone:
            time, zone = self.clock.time_and_zone()
            for report in self.profile.time_reports:
                self.urc(report.format(time=time, zone=zone))

    def set_receiver_power(self, is_on: bool) -> None:
        """Apply AT+CGNSSPWR: the receiver reports when it is ready."""
        if self._receiver_timer is not None:
            self._receiver_timer.cancel()
            self._receiver_timer = None
        self.receiver.is_on = is_on
        if is_on:
            self._receiver_timer = self.loop.call_later(
                RECEIVER_START_TIME, lambda: self.urc("+CGNSSPWR: READY!")
            )

    def store_settings(self) -> None:
        """Apply AT&W: echo and error format become the settings after power-on."""
        self._stored_echo, self._stored_error_format = self.terminal.echo, self.error_format

    def restore_stored_settings(self) -> None:
        """Apply ATZ."""
        self.terminal.echo, self.error_format = self._stored_echo, self._stored_error_format
        self.terminal.is_verbose = True

    def restore_factory_settings(self) -> None:
        """Apply AT&F."""
        self.terminal.echo, self.error_format = True, FACTORY_ERROR_FORMAT
        self.terminal.is_verbose = True

    def set_baud_rate(self, baud_rate: int, *, is_permanent: bool = False) -> None:
        """Apply AT+IPR or AT+IPREX after the waiting output is out."""
        if is_permanent:
            self._power_on_baud_rate = baud_rate
        self.baud_rate = baud_rate
        self._line.set_baud_rate(baud_rate)

    def restart(self) -> None:
        """Restart like AT+CRESET: report live sessions as lost, then boot."""
        if any(client.is_connected for client in self.clients):
            self.network_lost()
        self.boot()

    def boot(self) -> None:
        """Lose everything that is not in flash memory, stay silent for a while, then send the boot lines."""
        self.sim.is_inserted = True
        if self.registration is Registration.SEARCHING:
            self.network.selection = None
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
        if client.configuration.shows_messages_in_one_line:
            self.terminal.write(
                framed(b'+CMQTTRECV: %d,"%b",%d,"%b"' % (client.index, topic, len(payload), payload))
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
            if line == CARD_LINE:
                self.urc(f"+CPIN: {self.sim.state}" if self.sim.is_inserted else "+CPIN: NOT INSERTED")
            elif self._is_boot_line_due(line):
                self.urc(line)

    def _is_boot_line_due(self, line: str) -> bool:
        if line == CONTEXT_LINE:
            return self.in_service
        return self.sim.is_ready or line not in SIM_LINES


def _default_ssl_settings() -> list[SslSettings]:
    return [SslSettings() for _ in range(SSL_CONTEXTS)]
