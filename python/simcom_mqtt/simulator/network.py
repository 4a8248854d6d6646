"""The radio network as the module sees it."""

from dataclasses import dataclass


@dataclass
class Network:
    """In service or not, and what follows from it for the commands that show it."""

    in_service: bool = True
    registration_report: int = 0
    """The `<n>` of AT+CEREG and AT+CGREG."""
