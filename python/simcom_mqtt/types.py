"""The types of arguments, under the names that the documentation uses."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from simcom_mqtt._native import Message

__all__ = ["Callback", "Payload", "Pem", "QoS", "Topic"]

Topic = str | bytes
"""A topic name or filter of 1–1024 bytes: str goes out as UTF-8, bytes as they are."""

Payload = str | bytes | bytearray | memoryview
"""The contents of a message: str goes out as UTF-8."""

QoS = Literal[0, 1, 2]
"""At most once, at least once, exactly once."""

Pem = bytes | PathLike[str]
"""A certificate or key: its PEM text, or a file on this host."""

Callback = Callable[["Message"], object]
"""Called with each message; the return value is ignored."""
