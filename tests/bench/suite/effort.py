"""Effort of a measurement, and rounds in which the contenders take turns."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from suite.processes import Measured


@dataclass(frozen=True)
class Effort:
    """Number of rounds, and share of the repetitions of a full run."""

    rounds: int = 5
    share: float = 1.0

    def of(self, repetitions: int) -> int:
        """Returns the number of repetitions for a number in a full run."""
        return max(int(repetitions * self.share), 2)


SMOKE = Effort(rounds=1, share=0.01)


def interleaved(contenders: Mapping[str, Callable[[], Measured]], rounds: int) -> dict[str, list[Measured]]:
    """Returns the measurements of each contender in each round; a slow phase of the machine affects all."""
    measured: dict[str, list[Measured]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            measured[name].append(run())
    return measured


def is_installed(module: str) -> bool:
    """Returns True if a library of requirements/bench.txt is installed."""
    return importlib.util.find_spec(module) is not None
