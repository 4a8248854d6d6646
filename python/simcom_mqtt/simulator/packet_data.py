"""Packet data: the PDP contexts, their APNs, and the state of each context."""

from dataclasses import dataclass
from typing import Final

from .equipment_errors import CommandFailedError, EquipmentError

APN: Final = "internet"
"""The APN that the network offers to data contexts."""
CONTEXTS: Final = range(1, 25)
DEFAULT_CONTEXT: Final = 1
_NO_DATA: Final = frozenset({"ims", "sos"})


@dataclass
class DataContext:
    """One PDP context as AT+CGDCONT and AT+CGAUTH define it."""

    type: str = "IP"
    apn: str = ""
    authentication: int = 0
    user: str = ""
    password: str = ""
    is_emergency: bool = False
    is_active: bool = False
    is_wanted: bool = True
    """The context becomes active with the registration; AT+CGACT=0 ends that."""

    @property
    def carries_data(self) -> bool:
        """True unless the context is for voice or emergency calls."""
        return self.apn.lower() not in _NO_DATA


class PacketData:
    """The PDP contexts of the module. The definitions are in flash memory."""

    def __init__(self, apn: str = APN) -> None:
        self.contexts = {
            DEFAULT_CONTEXT: DataContext("IP", apn),
            2: DataContext("IPV4V6", "ims"),
            3: DataContext("IPV4V6", "SOS", is_emergency=True),
        }
        self.is_attached = True
        self.sockets_are_open = False
        """AT+NETOPEN has opened the socket service."""

    @property
    def is_active(self) -> bool:
        """True if a context for data is active."""
        return any(context.is_active and context.carries_data for context in self.contexts.values())

    def follow_registration(self, registered: bool) -> None:
        """Activate the default context with the registration, and end all contexts without it."""
        if not registered or not self.is_attached:
            for context in self.contexts.values():
                context.is_active = False
        else:
            default = self.contexts.get(DEFAULT_CONTEXT)
            if default is not None and default.is_wanted and _is_offered(default.apn):
                default.is_active = True
        self.sockets_are_open = self.sockets_are_open and self.is_active

    def power_on(self) -> None:
        """Attach to the network again and activate all wanted contexts anew."""
        self.is_attached = True
        for context in self.contexts.values():
            context.is_active, context.is_wanted = False, True
        self.sockets_are_open = False

    def activate(self, number: int) -> None:
        """Activate a context.

        :raises CommandFailedError: the network does not offer its APN.
        """
        context = self._context(number)
        context.is_wanted = True
        if not _is_offered(context.apn):
            raise CommandFailedError(EquipmentError.APN_NOT_SUBSCRIBED)
        context.is_active = True

    def deactivate(self, number: int) -> None:
        """Deactivate a context."""
        context = self._context(number)
        context.is_active = context.is_wanted = False

    def address(self, number: int) -> str | None:
        """Return the address of a context; None: the context is not active."""
        context = self.contexts.get(number)
        return f"100.111.74.{73 + number}" if context is not None and context.is_active else None

    def _context(self, number: int) -> DataContext:
        try:
            return self.contexts[number]
        except KeyError:
            raise CommandFailedError(EquipmentError.OPERATION_NOT_ALLOWED) from None


def _is_offered(apn: str) -> bool:
    # An empty APN lets the network choose.
    return apn.lower() in (APN, "", *_NO_DATA)
