"""The parameters of AT+CMQTTACCQ, CMQTTCFG and CMQTTCONNECT."""

from dataclasses import dataclass, field


@dataclass
class Configuration:
    """The settings of AT+CMQTTCFG, with the module's defaults."""

    check_utf8: int = 1
    operation_timeout: int = 120
    version: int = 3
    has_topic_arguments: bool = False
    """Topics are quoted parameters of SUB, UNSUB and PUB."""
    shows_messages_in_one_line: bool = False
    """Inbound messages come as `+CMQTTRECV`."""


@dataclass
class Acquisition:
    """The state of a client from AT+CMQTTACCQ to AT+CMQTTREL."""

    client_id: bytes
    is_tls: bool
    configuration: Configuration = field(default_factory=Configuration)
    will_topic: bytes | None = None
    will_message: bytes | None = None
    will_qos: int = 0
    topic: bytes | None = None
    payload: bytes = b""
    subscribing: list[tuple[bytes, int]] = field(default_factory=list)
    """Topics staged with AT+CMQTTSUBTOPIC, on firmware that has the command."""
    unsubscribing: list[bytes] = field(default_factory=list)


@dataclass(frozen=True)
class Server:
    """The parameters of AT+CMQTTCONNECT."""

    address: bytes
    keepalive: int
    clean_session: int
    user: bytes | None
    password: bytes | None
