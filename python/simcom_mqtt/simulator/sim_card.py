"""The SIM card: its numbers, its PIN lock and its PUK."""

from typing import Final

from .equipment_errors import CommandFailedError, EquipmentError

PIN: Final = "1234"
PUK: Final = "12345678"
PIN_ATTEMPTS: Final = 3
PUK_ATTEMPTS: Final = 10
READY: Final = "READY"
_PIN_LENGTHS: Final = range(4, 9)


class SimCard:
    """A SIM card in the holder of the module."""

    def __init__(self) -> None:
        self.iccid = "89860318760102345672"
        self.imsi = "460115273440915"
        self.is_inserted = True
        self.is_pin_enabled = False
        """The card asks for its PIN after each power-on."""
        self._pin = PIN
        self._pin_attempts = PIN_ATTEMPTS
        self._puk_attempts = PUK_ATTEMPTS
        self._is_unlocked = True

    @property
    def state(self) -> str:
        """The text of `+CPIN`: `READY`, `SIM PIN` or `SIM PUK`."""
        if not self._pin_attempts:
            return "SIM PUK"
        return READY if self._is_unlocked else "SIM PIN"

    @property
    def is_ready(self) -> bool:
        """True if a card is inserted and unlocked."""
        return self.is_inserted and self.state == READY

    def require_card(self) -> None:
        """Check that a card is inserted.

        :raises CommandFailedError: there is none.
        """
        if not self.is_inserted:
            raise CommandFailedError(EquipmentError.SIM_NOT_INSERTED)

    def require_ready(self) -> None:
        """Check that a card is inserted and unlocked.

        :raises CommandFailedError: there is none, or it is locked.
        """
        self.require_card()
        if self.state == "SIM PIN":
            raise CommandFailedError(EquipmentError.SIM_PIN_REQUIRED)
        if self.state == "SIM PUK":
            raise CommandFailedError(EquipmentError.SIM_PUK_REQUIRED)

    def power_on(self) -> None:
        """Lock the card if its PIN is enabled."""
        self._is_unlocked = not self.is_pin_enabled

    def lock_with_puk(self) -> None:
        """Use up all attempts to enter the PIN."""
        self.is_pin_enabled = True
        self._pin_attempts = 0

    def enter_pin(self, pin: str) -> None:
        """Unlock the card.

        :raises CommandFailedError: the card is missing or not locked by a PIN, or the PIN is wrong.
        """
        self.require_card()
        if self.state == "SIM PUK":
            raise CommandFailedError(EquipmentError.SIM_PUK_REQUIRED)
        if self.state == READY:
            raise CommandFailedError(EquipmentError.OPERATION_NOT_ALLOWED)
        self._check_pin(pin)
        self._is_unlocked = True

    def unblock(self, puk: str, new_pin: str) -> None:
        """Unlock the card with its PUK and set a new PIN.

        :raises CommandFailedError: the card is missing or not locked by a PUK, or the PUK is wrong.
        """
        self.require_card()
        if self.state != "SIM PUK":
            raise CommandFailedError(EquipmentError.OPERATION_NOT_ALLOWED)
        if puk != PUK or not self._puk_attempts or not is_pin(new_pin):
            self._puk_attempts = max(0, self._puk_attempts - 1)
            raise CommandFailedError(EquipmentError.INCORRECT_PASSWORD)
        self._pin = new_pin
        self._pin_attempts = PIN_ATTEMPTS
        self._puk_attempts = PUK_ATTEMPTS
        self._is_unlocked = True

    def enable_pin(self, enabled: bool, pin: str) -> None:
        """Switch the request for the PIN at power-on.

        :raises CommandFailedError: the card is missing or locked, or the PIN is wrong.
        """
        self.require_ready()
        self._check_pin(pin)
        self.is_pin_enabled = enabled

    def change_pin(self, pin: str, new_pin: str) -> None:
        """Set a new PIN; the card must ask for its PIN.

        :raises CommandFailedError: the card is missing, locked or has no PIN lock, or the PIN is wrong.
        """
        self.require_ready()
        if not self.is_pin_enabled or not is_pin(new_pin):
            raise CommandFailedError(EquipmentError.OPERATION_NOT_ALLOWED)
        self._check_pin(pin)
        self._pin = new_pin

    def _check_pin(self, pin: str) -> None:
        if pin == self._pin:
            self._pin_attempts = PIN_ATTEMPTS
            return
        self._pin_attempts -= 1
        if not self._pin_attempts:
            self._is_unlocked = False
        raise CommandFailedError(EquipmentError.INCORRECT_PASSWORD)


def is_pin(text: str) -> bool:
    """Return whether a text is 4 to 8 digits."""
    return text.isascii() and text.isdigit() and len(text) in _PIN_LENGTHS
