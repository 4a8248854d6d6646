"""The module's real-time clock."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

DEFAULT_TIME_SERVER: Final = "pool.ntp.org"
_FORMAT: Final = "%y/%m/%d,%H:%M:%S"
_QUARTER: Final = timedelta(minutes=15)
_NEVER_SET: Final = "70/01/01,00:00:11+00"


class Clock:
    """A clock that runs with the clock of this machine, at an offset."""

    def __init__(self) -> None:
        self._offset = timedelta()
        self._zone = UTC
        self.time_server = DEFAULT_TIME_SERVER
        self.time_server_zone = 0
        """The zone of AT+CNTP, in quarters of an hour."""
        self.follows_network = True
        """AT+CTZU: the network sets the clock."""
        self.reports_zone = False
        """AT+CTZR: `+CTZV` reports the time of the network."""

    def now(self) -> datetime:
        """Return the time of the clock, in its zone."""
        return datetime.now(self._zone) + self._offset

    def time_and_zone(self) -> tuple[str, str]:
        """Return local time and zone as URCs show them."""
        text = self.text()
        return text[:-3], text[-3:]

    def text(self) -> str:
        """Return the time in the form of `AT+CCLK?`: local time, and zone in quarters of an hour."""
        now = self.now()
        return f"{now.strftime(_FORMAT)}{(now.utcoffset() or timedelta()) // _QUARTER:+03d}"

    def set(self, text: str) -> None:
        """Set the clock to a time in the form of `AT+CCLK?`.

        :raises ValueError: the text is not in this form.
        """
        self._zone = timezone(int(text[-3:]) * _QUARTER)
        year = int(text[:2])
        century = 19 if year >= 70 else 20
        time = datetime.strptime(f"{century}{text[:-3]}", f"%Y{_FORMAT[2:]}").replace(tzinfo=self._zone)
        self._offset = time - datetime.now(UTC)

    def lose_time(self) -> None:
        """Return to the time of a clock that was never set, and leave it there."""
        self.set(_NEVER_SET)
        self.follows_network = False

    def synchronize(self, zone: int = 0) -> None:
        """Set the clock to the right time, in a zone in quarters of an hour."""
        self._zone = timezone(zone * _QUARTER)
        self._offset = timedelta()
