"""Few combinations that cover every pair of values of two factors."""

from collections.abc import Sequence
from itertools import combinations, product

Combination = tuple[int, ...]
"""Position of a value for each factor."""
Pair = tuple[tuple[int, int], tuple[int, int]]
"""Two factors, with the position of a value of each."""


def all_pairs(sizes: Sequence[int]) -> list[Combination]:
    """Returns combinations of factors with these numbers of values that cover every pair of values.

    The search is greedy: a combination begins with a pair that is not covered yet, and takes for each other
    factor the value that covers most new pairs; of equal values, the one that was taken least often.
    """
    missing = dict.fromkeys(_pairs_of(sizes))
    combinations_found: list[Combination] = []
    while missing:
        chosen = dict(next(iter(missing)))
        for factor in sorted(range(len(sizes)), key=lambda factor: -sizes[factor]):
            if factor not in chosen:
                taken = [combination[factor] for combination in combinations_found]
                chosen[factor] = _most_useful(factor, sizes[factor], chosen, missing, taken)
        combination = tuple(chosen[factor] for factor in range(len(sizes)))
        for pair in pairs_in(combination):
            missing.pop(pair, None)
        combinations_found.append(combination)
    return combinations_found


def pairs_in(combination: Combination) -> list[Pair]:
    """Returns the pairs that a combination covers."""
    return list(combinations(enumerate(combination), 2))


def _pairs_of(sizes: Sequence[int]) -> list[Pair]:
    return [
        ((one, value), (other, another))
        for one, other in combinations(range(len(sizes)), 2)
        for value, another in product(range(sizes[one]), range(sizes[other]))
    ]


def _most_useful(
    factor: int, size: int, chosen: dict[int, int], missing: dict[Pair, None], taken: list[int]
) -> int:
    def usefulness(value: int) -> tuple[int, int]:
        here = (factor, value)
        covered = sum(_ordered(here, there) in missing for there in chosen.items())
        return covered, -taken.count(value)

    return max(range(size), key=usefulness)


def _ordered(one: tuple[int, int], other: tuple[int, int]) -> Pair:
    return (one, other) if one < other else (other, one)
