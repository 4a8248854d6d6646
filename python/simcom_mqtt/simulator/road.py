"""A road: positions, levels and cells along a drive, read from a CSV file."""

import csv
from dataclasses import dataclass
from math import asin, atan2, cos, degrees, radians, sin, sqrt
from os import PathLike
from pathlib import Path
from typing import Final

COLUMNS: Final = (
    "time",
    "latitude",
    "longitude",
    "altitude",
    "rsrp",
    "rsrq",
    "sinr",
    "pci",
    "earfcn",
    "tac",
    "cell_id",
    "coverage",
)
_EARTH_RADIUS: Final = 6_371_000.0
_BANDS: Final = (
    (0, 599, 1),
    (600, 1199, 2),
    (1200, 1949, 3),
    (1950, 2399, 4),
    (2400, 2649, 5),
    (2750, 3449, 7),
    (3450, 3799, 8),
    (5010, 5179, 12),
    (5180, 5279, 13),
    (6150, 6449, 20),
    (9210, 9659, 28),
    (37_750, 38_249, 38),
    (38_650, 39_649, 40),
    (39_650, 41_589, 41),
)


@dataclass(frozen=True)
class RoadCell:
    """An LTE cell and the levels at which the module receives it."""

    rsrp: float
    """dBm."""
    rsrq: float
    """dB."""
    sinr: float
    """dB."""
    pci: int
    earfcn: int
    tac: int
    cell_id: int

    @property
    def rssi(self) -> float:
        """The received power, in dBm: RSRP − RSRQ, as modules report it."""
        return self.rsrp - self.rsrq

    @property
    def band(self) -> int:
        """The LTE band of the EARFCN; 0: unknown."""
        return next((band for low, high, band in _BANDS if low <= self.earfcn <= high), 0)


@dataclass(frozen=True)
class RoadPoint:
    """A point of the road. Its values hold until the next point."""

    time: float
    """Seconds since the start."""
    position: tuple[float, float, float] | None
    """Latitude and longitude in degrees, altitude in metres; None: the receiver has no fix."""
    cell: RoadCell | None
    """None: out of coverage."""


def read_road(path: str | PathLike[str]) -> list[RoadPoint]:
    """Read a road from a CSV file with the columns `COLUMNS`.

    :raises OSError: the file cannot be read.
    :raises ValueError: a line is invalid; the message names it.
    """
    name = Path(path).name
    with Path(path).open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{name}: the column {missing[0]} is missing; a road has {', '.join(COLUMNS)}")
        points: list[RoadPoint] = []
        for row in reader:
            try:
                point = _point(row)
                if points and point.time <= points[-1].time:
                    raise ValueError(f"time {point.time:g} does not follow {points[-1].time:g}")
            except ValueError as error:
                raise ValueError(f"{name}, line {reader.line_num}: {error}") from None
            points.append(point)
    if not points:
        raise ValueError(f"{name}: the road has no points")
    return points


def movement(start: RoadPoint, end: RoadPoint) -> tuple[float, float]:
    """Return speed in metres per second and course in degrees between two points; zeros without positions."""
    if start.position is None or end.position is None:
        return 0.0, 0.0
    latitude, longitude = radians(start.position[0]), radians(start.position[1])
    other_latitude, other_longitude = radians(end.position[0]), radians(end.position[1])
    step = other_longitude - longitude
    half = sin((other_latitude - latitude) / 2) ** 2
    half += cos(latitude) * cos(other_latitude) * sin(step / 2) ** 2
    distance = 2 * _EARTH_RADIUS * asin(sqrt(half))
    east = sin(step) * cos(other_latitude)
    north = cos(latitude) * sin(other_latitude) - sin(latitude) * cos(other_latitude) * cos(step)
    return distance / (end.time - start.time), degrees(atan2(east, north)) % 360


def _point(row: dict[str, str]) -> RoadPoint:
    position = None
    if row["latitude"] or row["longitude"]:
        position = (
            _number(row, "latitude", -90, 90),
            _number(row, "longitude", -180, 180),
            _number(row, "altitude", -500, 100_000),
        )
    cell = None
    if _whole(row, "coverage", 0, 1):
        cell = RoadCell(
            _number(row, "rsrp", -156, -31),
            _number(row, "rsrq", -34, 3),
            _number(row, "sinr", -40, 40),
            _whole(row, "pci", 0, 503),
            _whole(row, "earfcn", 0, 262_143),
            _whole(row, "tac", 0, 0xFFFF),
            _whole(row, "cell_id", 0, 0xFFFFFFF),
        )
    return RoadPoint(_number(row, "time", 0, 1e9), position, cell)


def _number(row: dict[str, str], column: str, lowest: float, highest: float) -> float:
    try:
        value = float(row[column])
    except (TypeError, ValueError):
        raise ValueError(f"{column} must be a number, not {row[column]!r}") from None
    if not lowest <= value <= highest:
        raise ValueError(f"{column} must be {lowest:g} to {highest:g}, not {value:g}")
    return value


def _whole(row: dict[str, str], column: str, lowest: int, highest: int) -> int:
    try:
        value = int(row[column], 0)
    except (TypeError, ValueError):
        raise ValueError(f"{column} must be a whole number, not {row[column]!r}") from None
    if not lowest <= value <= highest:
        raise ValueError(f"{column} must be {lowest} to {highest}, not {value}")
    return value
