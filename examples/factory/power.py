"""Switches for the power of the device."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from typing import Protocol

from simcom_mqtt.simulator import SimulatedModem


class PowerSwitch(Protocol):
    """Interface of a switch: a relay, a USB hub that switches its ports, a power supply."""

    def cycle(self) -> None:
        """Switch off and on again."""


@dataclass(frozen=True)
class SwitchByCommand:
    """Runs a program of the rig."""

    command: str

    def cycle(self) -> None:
        """Run the program; its failure fails the test."""
        subprocess.run(shlex.split(self.command), check=True, timeout=60)  # noqa: S603 - the rig's own command


@dataclass(frozen=True)
class SimulatedPowerSwitch:
    """Restarts a simulated module."""

    module: SimulatedModem

    def cycle(self) -> None:
        """Restart without warning, as after a power failure."""
        self.module.reboot()
