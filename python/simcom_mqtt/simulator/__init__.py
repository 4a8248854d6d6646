"""A simulated SIM7672X module, for tests and demonstrations without hardware.

It needs the extra `simulator`: `pip install simcom-mqtt[simulator]`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .modem import SimulatedModem
    from .profiles import PROFILES, AnswerOrder, Profile, StateCodes
    from .replay import Replay

__all__ = ["PROFILES", "AnswerOrder", "Profile", "Replay", "SimulatedModem", "StateCodes"]

MISSING = "the simulated module needs paho-mqtt: pip install simcom-mqtt[simulator]"


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    # On first use, so that without paho-mqtt there is a word of advice and no traceback through this package.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import paho.mqtt.client  # noqa: F401 - only to say what is missing
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING, name="paho") from error
    from . import modem, profiles, replay

    return next(vars(place)[name] for place in (modem, replay, profiles) if name in vars(place))
