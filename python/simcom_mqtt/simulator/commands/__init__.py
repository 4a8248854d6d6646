"""The AT commands that the module knows, by area; each file registers its own."""

from . import certificates, general, messages, network, service, session
from .registry import Handler, fault_key, find, key_of

__all__ = [
    "Handler",
    "certificates",
    "fault_key",
    "find",
    "general",
    "key_of",
    "messages",
    "network",
    "service",
    "session",
]
