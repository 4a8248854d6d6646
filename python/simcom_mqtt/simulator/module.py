"""The module itself: everything that an AT command can set, show or set going, and what it says unasked."""

from typing import Final

from . import commands
from .answer import Answer, Refused, framed
from .client import Client
from .clock import Clock
from .connecting import Destination
from .engine import Engine, Timer, logger
from .faults import Faults
from .identity import Identity
from .line import Line
from .masking import masked
from .message_block import block_parts
from .network import Network
from .parameters import BadParameterError, CommandLine, Form, parse_command_line
from .profiles import Profile
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

_INCORRECT_PARAMETERS: Final = (50, "Incorrect parameters")


class Module:
    """A SIM7672X without its case: lives on the loop's thread."""

    def __init__(
        self,
        engine: Engine,
        line: Line,
        profile: Profile,
        identity: Identity,
        broker: Destination | None,
        baud_rate: int,
    ) -> None:
        self._broker = broker
        self._is_held_back = False
        self._boot_timer: Timer | None = None
        self._line = line
        self._power_on_baud_rate = baud_rate
        self.faults = Faults()
        self.terminal = Terminal(line, profile, self.faults, self._execute)
        self.engine = engine
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
        """Lose everything that is not in flash memory, without a word."""
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
        """Be as fresh from the box."""
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
        """The parameters of +CPSI while in service."""
        return self.profile.cell if self.network.cell is None else self.network.cell

    def destination(self, host: str, port: int) -> Destination:
        """Return where a connection to `host` really goes."""
        if self._broker is None:
            return Destination(host, host, port)
        return Destination(host, self._broker.address, self._broker.port)

    def urc(self, line: str) -> None:
        """Say a line unasked."""
        self.terminal.write(framed(line))

    def connection_lost(self, client: Client, cause: int) -> None:
        """Report a connection that was lost."""
        self.urc(f"+CMQTTCONNLOST: {client.index},{cause}")

    def network_lost(self) -> None:
        """Report that the network is gone: connections and service go with it."""
        was_started = self.is_started
        for client in self.clients:
            client.lose_connection(NETWORK_NOT_OPENED, LOST_NETWORK)
        if was_started:
            self.urc("+CMQTTNONET")
        self.close()

    def ping_failed(self, client: Client) -> None:
        """Report that the broker did not answer a keep-alive, if this firmware does."""
        if self.profile.reports_failed_ping:
            self.urc(f"+CMQTTPING: {client.index},{TIMEOUT}")

    def set_functionality(self, functionality: int) -> None:
        """Follow AT+CFUN: without its radio the module has no network."""
        self.functionality = functionality
        self.set_service(radio_is_on=functionality not in RADIO_OFF)

    def set_service(self, *, radio_is_on: bool | None = None, has_coverage: bool | None = None) -> None:
        """Come into service or lose it."""
        network = self.network
        was_in_service = network.in_service
        if radio_is_on is not None:
            network.radio_is_on = radio_is_on
        if has_coverage is not None:
            network.has_coverage = has_coverage
        if was_in_service and not network.in_service:
            self.network_lost()

    def set_baud_rate(self, baud_rate: int) -> None:
        """Follow AT+IPR, once what was said before is out."""
        self.baud_rate = baud_rate
        self._line.set_baud_rate(baud_rate)

    def restart(self) -> None:
        """Go down as AT+CRESET does: live sessions are reported lost, then comes a boot."""
        if any(client.is_connected for client in self.clients):
            self.network_lost()
        self.boot()

    def boot(self) -> None:
        """Lose everything that is not in flash memory, be silent for a while, then say the boot lines."""
        self.power_off()
        self._boot_timer = self.engine.call_later(BOOT_TIME, self._booted)

    def message_arrived(self, client: Client, topic: bytes, payload: bytes) -> None:
        """Print an inbound message as one block."""
        if len(topic) > LONGEST_INBOUND_TOPIC or len(payload) > LONGEST_INBOUND_PAYLOAD:
            logger.warning(
                "a message with a topic of %d and a payload of %d bytes is beyond what the module receives",
                len(topic),
                len(payload),
            )
            return
        parts = block_parts(self.profile, client.index, topic, payload)
        parts.insert(2, self.faults.take_inserted("between_parts"))
        block = b"".join(parts)
        damage = self.faults.take_damage()
        self.terminal.write(block if damage is None else damage.apply(block))

    def watch_output(self) -> None:
        """Stop reading from the brokers while the host does not keep up, and read on when it has."""
        waiting = self._line.waiting
        hold_back = waiting > (OUTPUT_LOW if self._is_held_back else OUTPUT_HIGH)
        if hold_back != self._is_held_back:
            self._is_held_back = hold_back
            for client in self.clients:
                client.pause(hold_back)

    def receive(self, data: bytes) -> None:
        """Take the host's bytes; a booting module does not hear them."""
        if self._boot_timer is None:
            self.terminal.feed(data)

    def _booted(self) -> None:
        self._boot_timer = None
        for line in self.profile.boot_lines:
            self.urc(line)

    def _execute(self, raw: bytes, unechoed: bytes) -> None:
        text = raw.decode("utf-8", "surrogateescape")
        self.received.append(text)
        line = parse_command_line(raw)
        handler = None if line is None else commands.find(line, self.profile)
        name, key = ("", "?") if line is None else (line.name, commands.key_of(line))
        answer = Answer(self.engine, self.terminal, self.profile, self.faults, name, key)
        answer.echo(unechoed)
        if line is None or handler is None:
            logger.warning("unknown AT command: %s", masked(text))
            answer.error()
        elif not self._is_made_to_fail(line, answer):
            self._carry_out(handler, line, answer)

    def _is_made_to_fail(self, line: CommandLine, answer: Answer) -> bool:
        failure = self.faults.take_failure(commands.key_of(line))
        if failure is None:
            return False
        code = failure[0]
        if code is None:
            answer.error()
        elif self.profile.order(line.name).has_result:
            answer.failure = code
            return False
        elif line.name.startswith("CMQTT"):
            answer.index = _index_in(line)
            answer.refuse(code)
        else:
            self.refuse_with(answer, code, str(code))
        return True

    def _carry_out(self, handler: commands.Handler, line: CommandLine, answer: Answer) -> None:
        if not self.is_started and _needs_service(line):
            answer.error()
            return
        try:
            handler(self, line, answer)
        except Refused as refusal:
            answer.refuse(refusal.code)
        except BadParameterError as error:
            logger.debug("%s: %s", line.name, error)
            if line.name.startswith("CMQTT"):
                answer.error()
            else:
                self.refuse_with(answer, *_INCORRECT_PARAMETERS)

    def refuse_with(self, answer: Answer, code: int, text: str) -> None:
        """Answer with the equipment error that AT+CMEE asks for."""
        if self.error_format == 0:
            answer.error()
        elif self.error_format == 1:
            answer.final(f"+CME ERROR: {code}")
        else:
            answer.final(f"+CME ERROR: {text}")


def _default_ssl_settings() -> list[SslSettings]:
    return [SslSettings() for _ in range(SSL_CONTEXTS)]


def _needs_service(line: CommandLine) -> bool:
    return line.name.startswith("CMQTT") and line.name != "CMQTTSTART" and line.form is not Form.TEST


def _index_in(line: CommandLine) -> int | None:
    try:
        return line.number(0, 0, CLIENTS - 1)
    except BadParameterError:
        return None
