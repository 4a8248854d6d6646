"""A simulated SIM7672X module, for tests and demonstrations without hardware.

It needs the extra `simulator`, in a clone: `pip install '.[simulator]'`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .mendable_faults import Fault
    from .profiles import PROFILES, AnswerOrder, Profile, StateCodes
    from .replay import Replay
    from .simulated_modem import SimulatedModem

__all__ = ["PROFILES", "AnswerOrder", "Fault", "Profile", "Replay", "SimulatedModem", "StateCodes"]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    # Imports on first use, so that the package can be imported without paho-mqtt and says what to install.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        import paho.mqtt.client  # noqa: F401 - checks that the package is installed
    except ModuleNotFoundError as error:
        from simcom_mqtt.install_command import install_command

        message = f"the simulated module needs paho-mqtt: {install_command('simulator')}"
        raise ModuleNotFoundError(message, name="paho") from error
    from . import mendable_faults, profiles, replay, simulated_modem

    return next(
        vars(file)[name]
        for file in (simulated_modem, replay, profiles, mendable_faults)
        if name in vars(file)
    )
