"""A trip of the module along a road: each point sets levels, cell, coverage and position."""

from datetime import UTC, datetime, timedelta

from .event_loop import EventLoop, Timer
from .module import Module
from .profiles import LevelStyle
from .road import RoadCell, RoadPoint, movement


class Trip:
    """Moves a module along a road, on the thread of the event loop.

    :param speed: how many times faster than the times of the road; 0: only `drive` moves the module.
    """

    def __init__(self, loop: EventLoop, module: Module, points: list[RoadPoint], speed: float) -> None:
        self._loop = loop
        self._module = module
        self._points = points
        self._speed = speed
        self._timer: Timer | None = None
        self._departure = datetime.now(UTC)
        self._elapsed = 0.0
        self._elapsed_at = 0.0
        self._next = 0

    def start(self) -> None:
        """Start at the first point."""
        if self._timer is not None:
            self._timer.cancel()
        self._departure = datetime.now(UTC)
        self._elapsed, self._elapsed_at = 0.0, self._loop.now()
        self._next = 0
        self._module.receiver.clock = self._now
        self._pass_points()

    def elapsed(self) -> float:
        """Return the time since the start, in seconds of the road."""
        return self._elapsed + (self._loop.now() - self._elapsed_at) * self._speed

    def drive(self, seconds: float) -> None:
        """Move on by some seconds at once; the module passes all points in between."""
        self._elapsed, self._elapsed_at = self.elapsed() + seconds, self._loop.now()
        self._pass_points()

    def _now(self) -> datetime:
        return self._departure + timedelta(seconds=self.elapsed())

    def _pass_points(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        elapsed = self.elapsed()
        while self._next < len(self._points) and self._points[self._next].time <= elapsed:
            self._apply(self._next)
            self._next += 1
        if self._next < len(self._points) and self._speed:
            delay = (self._points[self._next].time - elapsed) / self._speed
            self._timer = self._loop.call_later(delay, self._pass_points)

    def _apply(self, index: int) -> None:
        point = self._points[index]
        module, receiver = self._module, self._module.receiver
        receiver.position = point.position
        receiver.speed, receiver.course = 0.0, 0.0
        if index:
            receiver.speed, receiver.course = movement(self._points[index - 1], point)
        if point.cell is not None:
            module.network.cell = cell_text(point.cell, module.profile.cell, module.profile.level_style)
            module.network.signal = _rssi_level(point.cell.rssi), 0
            module.network.extended_signal = _rsrq_level(point.cell.rsrq), _rsrp_level(point.cell.rsrp)
        module.set_coverage(point.cell is not None)


def cell_text(cell: RoadCell, example: str, style: LevelStyle) -> str:
    """Return the parameters of `+CPSI` for a cell; operator and bandwidth are those of the example."""
    mode, operation, operator, *_ = example.split(",")
    downlink, uplink = example.split(",")[8:10]
    band = f"EUTRAN-BAND{cell.band}"
    return (
        f"{mode},{operation},{operator},0x{cell.tac:04X},{cell.cell_id},{cell.pci},{band},{cell.earfcn},"
        f"{downlink},{uplink},{_levels(cell, style)}"
    )


def _levels(cell: RoadCell, style: LevelStyle) -> str:
    if style == "tenths":
        noise = min(max(round((cell.sinr + 20) / 2), 0), 25)
        return f"{round(cell.rsrq * 10)},{round(cell.rsrp * 10)},{round(cell.rssi * 10)},{noise}"
    if style == "steps":
        return f"{_rsrq_level(cell.rsrq)},{_rsrp_level(cell.rsrp)},0,{round(cell.sinr)}"
    return f"{round(cell.rsrq)},{round(cell.rsrp)},{round(cell.rssi)},{round(cell.sinr)}"


def _rssi_level(rssi: float) -> int:
    return min(max(round((rssi + 113) / 2), 0), 31)


def _rsrq_level(rsrq: float) -> int:
    return min(max(round((rsrq + 20) * 2), 0), 34)


def _rsrp_level(rsrp: float) -> int:
    return min(max(round(rsrp + 141), 0), 97)
