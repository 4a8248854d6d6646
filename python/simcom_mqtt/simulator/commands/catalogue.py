"""All AT commands of the module: importing this file registers every handler."""

from . import device, messages, radio, service, session, tls
from .registry import command_key

__all__ = ["command_key", "device", "messages", "radio", "service", "session", "tls"]
