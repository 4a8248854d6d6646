"""What the CONNECT packet says."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Will:
    """The message that the broker sends when the connection is lost."""

    topic: bytes
    payload: bytes
    qos: int


@dataclass(frozen=True)
class Login:
    """What the CONNECT packet says."""

    client_id: bytes
    keepalive: int
    clean_session: bool
    user: bytes | None
    password: bytes | None
    will: Will | None
    version: int
    """3 for MQTT 3.1, 4 for MQTT 3.1.1."""
