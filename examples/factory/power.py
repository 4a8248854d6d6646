"""Switching the device off and on again."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from typing import Protocol

from simcom_mqtt.simulator import SimulatedModem


class PowerSwitch(Protocol):
    """Write one for your rig: a relay, a USB hub that switches its ports, a power supply."""

    def cycle(self) -> None:
        """Switch off and on again."""


@dataclass(frozen=True)
class SwitchByCommand:
    """Any program of the rig."""

    command: str

    def cycle(self) -> None:
        """Run it, and fail with it."""
        subprocess.run(shlex.split(self.command), check=True, timeout=60)  # noqa: S603 - the rig's own command


@dataclass(frozen=True)
class SimulatedPowerSwitch:
    """The one of a simulated module."""

    module: SimulatedModem

    def cycle(self) -> None:
        """Lose power in the midst of things, and boot."""
        self.module.reboot()
