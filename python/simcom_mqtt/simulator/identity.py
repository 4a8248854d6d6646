"""The identity of a simulated module."""

import random
from dataclasses import dataclass
from typing import Final

_TYPE_ALLOCATION_CODE: Final = "86459806"


@dataclass(frozen=True)
class Identity:
    """The numbers that belong to one module."""

    imei: str


def make_identity(imei: str | None) -> Identity:
    """Return an identity with this IMEI, or with a random one that has a valid check digit."""
    if imei is None:
        body = _TYPE_ALLOCATION_CODE + f"{random.randrange(10**6):06d}"  # noqa: S311 - no secret
        return Identity(body + _check_digit(body))
    if len(imei) != 15 or not (imei.isascii() and imei.isdigit()):
        raise ValueError(f"imei must be 15 digits, not {imei!r}")
    return Identity(imei)


def _check_digit(body: str) -> str:
    doubled = [int(digit) * (2 if position % 2 else 1) for position, digit in enumerate(body)]
    return str(-sum(value // 10 + value % 10 for value in doubled) % 10)
