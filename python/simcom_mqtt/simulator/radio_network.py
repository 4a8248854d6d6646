"""The state of the radio network."""

from dataclasses import dataclass


@dataclass
class Network:
    """The values that commands about the network show."""

    has_coverage: bool = True
    signal: tuple[int, int] = (23, 0)
    """RSSI and bit error rate, as AT+CSQ counts them."""
    cell: str | None = None
    """The parameters of +CPSI; None: those of the profile."""
    radio_is_on: bool = True
    registration_report: int = 0
    """The `<n>` of AT+CEREG and AT+CGREG."""

    @property
    def in_service(self) -> bool:
        """True if the module is registered and its PDP context is active."""
        return self.has_coverage and self.radio_is_on
