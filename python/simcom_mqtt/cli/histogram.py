"""How long things took: percentiles, and how many took how long."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

BOUNDS: Final = tuple(factor * 10.0**exponent for exponent in range(-4, 3) for factor in (1, 2, 5))
"""Upper ends of the classes, in seconds: 0.1 ms to 500 s."""


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The least value that so many per cent of the values do not exceed."""
    position = -int(-len(ordered) * percent // 100)
    return ordered[max(position, 1) - 1]


def classes(values: Sequence[float]) -> list[tuple[str, int]]:
    """How many values are in each class, from the first that is not empty to the last."""
    counts = [0] * (len(BOUNDS) + 1)
    for value in values:
        counts[bisect_left(BOUNDS, value)] += 1
    filled = [position for position, count in enumerate(counts) if count]
    if not filled:
        return []
    return [(_name(position), counts[position]) for position in range(filled[0], filled[-1] + 1)]


def _name(position: int) -> str:
    if position == len(BOUNDS):
        return f"> {as_time(BOUNDS[-1])}"
    return f"<= {as_time(BOUNDS[position])}"


def as_time(seconds: float) -> str:
    """A time in the unit that suits it."""
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
