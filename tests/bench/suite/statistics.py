"""Medians and tails over rounds."""

from collections.abc import Iterable, Sequence
from statistics import median


def quantile(values: Iterable[float], share: float) -> float:
    """The value that so large a share of all is at or below."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def median_of_rounds(rounds: Sequence[Sequence[float]], share: float) -> float:
    """A quantile of each round, and the median of those: one bad round does not make the result."""
    return median(quantile(values, share) for values in rounds)


__all__ = ["median", "median_of_rounds", "quantile"]
