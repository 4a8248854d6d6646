"""The GNSS receiver: power, and the position in the forms of AT+CGNSSINFO and AT+CGPSINFO."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

NO_FIX: Final = ",,,,,,,,"
KNOTS_PER_METRE_PER_SECOND: Final = 1.943844


def utc_now() -> datetime:
    """Return the time of this machine, in UTC."""
    return datetime.now(UTC)


@dataclass
class Receiver:
    """The GNSS receiver of the module."""

    is_on: bool = False
    position: tuple[float, float, float] | None = None
    """Latitude and longitude in degrees, altitude in metres; None: no fix."""
    speed: float = 0.0
    """Speed in metres per second."""
    course: float = 0.0
    """Course in degrees."""
    clock: Callable[[], datetime] = utc_now
    """Returns the time that the satellites send, in UTC."""

    def information(self, *, in_degrees: bool) -> str:
        """Return the parameters of `+CGNSSINFO`.

        :param in_degrees: latitude and longitude in degrees; False: in degrees and minutes.
        """
        if self.position is None or not self.is_on:
            return NO_FIX
        latitude, longitude, altitude = self.position
        time = self.clock()
        write = _degrees if in_degrees else _minutes
        return (
            f"3,12,04,05,03,{write(latitude, 2)},{_side(latitude, 'NS')},{write(longitude, 3)},"
            f"{_side(longitude, 'EW')},{time:%d%m%y},{time:%H%M%S}.00,{altitude:.1f},"
            f"{self.speed * KNOTS_PER_METRE_PER_SECOND:.3f},{self.course:.2f},1.62,0.88,1.36"
        )

    def short_information(self) -> str:
        """Return the parameters of `+CGPSINFO`."""
        if self.position is None or not self.is_on:
            return NO_FIX
        latitude, longitude, altitude = self.position
        time = self.clock()
        return (
            f"{_minutes(latitude, 2)},{_side(latitude, 'NS')},{_minutes(longitude, 3)},"
            f"{_side(longitude, 'EW')},{time:%d%m%y},{time:%H%M%S}.0,{altitude:.1f},"
            f"{self.speed * KNOTS_PER_METRE_PER_SECOND:.1f},{self.course:.1f}"
        )


def _degrees(value: float, _digits: int) -> str:
    return f"{abs(value):.7f}"


def _minutes(value: float, digits: int) -> str:
    # Rounds before splitting, so that 59.9999999 minutes become the next degree.
    millionths = round(abs(value) * 60 * 1_000_000)
    degrees, rest = divmod(millionths, 60_000_000)
    return f"{degrees:0{digits}d}{rest // 1_000_000:02d}.{rest % 1_000_000:06d}"


def _side(value: float, sides: str) -> str:
    return sides[0] if value >= 0 else sides[1]
