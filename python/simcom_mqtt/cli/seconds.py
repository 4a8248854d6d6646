"""Times as options take them."""

import math
from typing import Any, Final

import click

LONGEST: Final = 1e8
"""Three years, and what the system can wait for."""


class Seconds(click.FloatRange):
    """A number of seconds: finite, and not negative."""

    def __init__(self, *, min_open: bool = False) -> None:
        super().__init__(min=0, max=LONGEST, min_open=min_open)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is no number, which every comparison lets pass."""
        seconds = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(f"{value!r} is no number of seconds", param, ctx)
        return seconds
