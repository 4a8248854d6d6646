"""The options of the MQTT CONNECT packet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Will:
    """The last will: the broker publishes it when the connection is lost."""

    topic: bytes
    payload: bytes
    qos: int


@dataclass(frozen=True)
class ConnectOptions:
    """The options of the MQTT CONNECT packet."""

    client_id: bytes
    keepalive: int
    clean_session: bool
    user: bytes | None
    password: bytes | None
    will: Will | None
    version: int
    """3 for MQTT 3.1, 4 for MQTT 3.1.1."""
