"""How long a measurement may take, and rounds in which the contenders take turns."""

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from suite.processes import Measured


@dataclass(frozen=True)
class Effort:
    """So many rounds, and a share of the repetitions that a table of the docs takes."""

    rounds: int = 5
    share: float = 1.0

    def of(self, repetitions: int) -> int:
        """So many repetitions, of what a full run has."""
        return max(int(repetitions * self.share), 2)


SMOKE = Effort(rounds=1, share=0.01)


def interleaved(contenders: Mapping[str, Callable[[], Measured]], rounds: int) -> dict[str, list[Measured]]:
    """What each contender measured in each round. A machine that is slow for a while is so for all."""
    measured: dict[str, list[Measured]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            measured[name].append(run())
    return measured


def is_installed(module: str) -> bool:
    """Whether a peer of requirements/bench.txt is there."""
    return importlib.util.find_spec(module) is not None
