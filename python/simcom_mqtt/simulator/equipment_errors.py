"""Equipment errors: `+CME ERROR` as number or text, or a bare `ERROR`, as AT+CMEE decides."""

from enum import Enum


class EquipmentError(Enum):
    """An equipment error: its number and its text."""

    OPERATION_NOT_ALLOWED = 3, "operation not allowed"
    SIM_NOT_INSERTED = 10, "SIM not inserted"
    SIM_PIN_REQUIRED = 11, "SIM PIN required"
    SIM_PUK_REQUIRED = 12, "SIM PUK required"
    INCORRECT_PASSWORD = 16, "incorrect password"
    NOT_FOUND = 22, "not found"
    NO_NETWORK_SERVICE = 30, "no network service"
    INCORRECT_PARAMETERS = 50, "Incorrect parameters"
    APN_NOT_SUBSCRIBED = 133, "requested service option not subscribed"

    @property
    def number(self) -> int:
        """The number that AT+CMEE=1 shows."""
        return self.value[0]

    @property
    def text(self) -> str:
        """The text that AT+CMEE=2 shows."""
        return self.value[1]


class CommandFailedError(Exception):
    """The command fails with an equipment error."""

    def __init__(self, error: EquipmentError) -> None:
        super().__init__(error.text)
        self.error = error
