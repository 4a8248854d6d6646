"""The session with a broker: WILLTOPIC, WILLMSG, CONNECT, DISC."""

from collections.abc import Callable
from typing import Final

from ..answer import Answer, Refused
from ..client_settings import Server
from ..command_line import BadParameterError, CommandLine, Form
from ..module import Module
from ..module_client import Client
from ..result_codes import BAD_UTF8_STRING, LENGTH_OUT_OF_RANGE
from .registry import command, test_form
from .service import addressed_client

LONGEST_TOPIC: Final = 1024
LONGEST_WILL: Final = 1024
SHORTEST_ADDRESS: Final = 9
LONGEST_TEXT: Final = 256
LONGEST_KEEPALIVE: Final = 64_800

test_form("CMQTTWILLTOPIC", "(0-1),(1-1024)")
test_form("CMQTTWILLMSG", "(0-1),(1-1024),(0-2)")
test_form("CMQTTCONNECT", "(0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]")
test_form("CMQTTDISC", "(0-1),(0, {shortest_timeout}-180)")


def data_length(line: CommandLine, longest: int, position: int = 1) -> int:
    """Return the `<req_length>` of a command that asks for data."""
    length = line.number(position, 0, 2**31)
    if not 1 <= length <= longest:
        raise Refused(LENGTH_OUT_OF_RANGE)
    return length


def ask_for_topic(line: CommandLine, answer: Answer, client: Client, use: Callable[[bytes], None]) -> None:
    """Prompt for a topic, check its UTF-8 if the client is set to, and pass the topic to `use`."""

    def entered(topic: bytes) -> None:
        try:
            check_topic(client, topic)
            use(topic)
        except Refused as refusal:
            answer.refuse(refusal.code)  # also if the connection was lost while the topic was entered

    answer.prompt(data_length(line, LONGEST_TOPIC), entered)


def check_topic(client: Client, topic: bytes) -> None:
    """Check length and UTF-8 of a topic.

    :raises Refused: the length is out of range, or the client checks UTF-8 and the topic is none.
    """
    if not 1 <= len(topic) <= LONGEST_TOPIC:
        raise Refused(LENGTH_OUT_OF_RANGE)
    if client.configuration.check_utf8 and not _is_utf8(topic):
        raise Refused(BAD_UTF8_STRING)


def _is_utf8(data: bytes) -> bool:
    """Return whether data is valid UTF-8 for MQTT: no surrogates, no NUL."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return b"\0" not in data


@command("CMQTTWILLTOPIC", Form.WRITE)
def _set_will_topic(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(2, 2)
    client = addressed_client(module, line, answer)
    acquired = client.acquired

    def entered(topic: bytes) -> None:
        acquired.will_topic = topic
        answer.ok()

    ask_for_topic(line, answer, client, entered)


@command("CMQTTWILLMSG", Form.WRITE)
def _set_will_message(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(3, 3)
    acquired = addressed_client(module, line, answer).acquired
    qos = line.number(2, 0, 2)

    def entered(message: bytes) -> None:
        acquired.will_message, acquired.will_qos = message, qos
        answer.ok()

    answer.prompt(data_length(line, LONGEST_WILL), entered)


@command("CMQTTCONNECT", Form.WRITE)
def _connect(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(4, 6)
    client = addressed_client(module, line, answer)
    address = line.text(1)
    server = Server(
        address,
        line.number(2, 1, LONGEST_KEEPALIVE),
        line.number(3, 0, 1),
        _optional_text(line, 4, shortest=1),
        _optional_text(line, 5, shortest=0),
    )
    if not SHORTEST_ADDRESS <= len(address) <= LONGEST_TEXT:
        raise Refused(LENGTH_OUT_OF_RANGE)
    client.connect(answer, server)


@command("CMQTTCONNECT", Form.READ)
def _show_connections(module: Module, _line: CommandLine, answer: Answer) -> None:
    for client in module.clients:
        answer.information(b"+CMQTTCONNECT: %d%b" % (client.index, _server_parameters(client.server)))
    answer.ok()


@command("CMQTTDISC", Form.WRITE)
def _disconnect(module: Module, line: CommandLine, answer: Answer) -> None:
    line.count(1, 2)
    client = addressed_client(module, line, answer)
    timeout = line.number(1, 0, 180, default=60)
    if 0 < timeout < module.profile.shortest_timeout:
        raise BadParameterError(
            f"timeout {timeout} is neither 0 nor in {module.profile.shortest_timeout}-180"
        )
    client.disconnect(answer)


@command("CMQTTDISC", Form.READ)
def _show_connected(module: Module, _line: CommandLine, answer: Answer) -> None:
    for client in module.clients:
        answer.information(f"+CMQTTDISC: {client.index},{0 if client.is_connected else 1}")
    answer.ok()


def _optional_text(line: CommandLine, position: int, shortest: int) -> bytes | None:
    if position >= len(line.parameters):
        return None
    text = line.text(position)
    if not shortest <= len(text) <= LONGEST_TEXT:
        raise Refused(LENGTH_OUT_OF_RANGE)
    return text


def _server_parameters(server: Server | None) -> bytes:
    if server is None:
        return b""
    shown = b',"%b",%d,%d' % (server.address, server.keepalive, server.clean_session)
    for secret in (server.user, server.password):
        if secret is not None:
            shown += b',"%b"' % secret
    return shown
