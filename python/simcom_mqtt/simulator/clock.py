"""The module's real-time clock."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

_FORMAT: Final = "%y/%m/%d,%H:%M:%S"
_QUARTER: Final = timedelta(minutes=15)


class Clock:
    """Goes with this machine's, until it is set."""

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._zone: timezone = UTC

    def text(self) -> str:
        """The time as `AT+CCLK?` shows it: local time, and its zone in quarters of an hour."""
        now = datetime.now(self._zone) + self._ahead
        return f"{now.strftime(_FORMAT)}{(now.utcoffset() or timedelta()) // _QUARTER:+03d}"

    def set(self, text: str) -> None:
        """Set it to what is in the same form.

        :raises ValueError: it is not.
        """
        self._zone = timezone(int(text[-3:]) * _QUARTER)
        time = datetime.strptime(text[:-3], _FORMAT).replace(tzinfo=self._zone)
        self._ahead = time - datetime.now(UTC)
