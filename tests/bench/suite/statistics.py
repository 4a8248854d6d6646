"""Medians and tails over rounds."""

from collections.abc import Iterable, Sequence
from statistics import median


def quantile(values: Iterable[float], share: float) -> float:
    """Returns the smallest value that this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def median_of_rounds(rounds: Sequence[Sequence[float]], share: float) -> float:
    """Returns the median of a quantile of each round, so that one bad round does not decide."""
    return median(quantile(values, share) for values in rounds)


__all__ = ["median", "median_of_rounds", "quantile"]
