"""All AT commands of the module: importing this file registers every handler."""

from . import (
    basic,
    data_connection,
    device,
    gnss,
    identification,
    messages,
    radio,
    service,
    session,
    sim_access,
    time_keeping,
    tls,
)
from .registry import command_key

__all__ = [
    "basic",
    "command_key",
    "data_connection",
    "device",
    "gnss",
    "identification",
    "messages",
    "radio",
    "service",
    "session",
    "sim_access",
    "time_keeping",
    "tls",
]
