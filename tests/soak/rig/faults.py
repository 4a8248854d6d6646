"""All kinds of fault, and how each is injected into a module."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol, get_args

from simcom_mqtt.simulator.faults import Gap

from .simulation import Simulation

GAPS: tuple[Gap, ...] = get_args(Gap)
FOREIGN_LINES = (
    "+CGEV: ME PDN ACT 1",
    "SMS DONE",
    "+CREG: 5",
    '+CMTI: "SM",3',
    "$GNRMC,093000.00,A,,,,,,,,,,A*6B",
)
FAILURES = (6, 14, 16, 17, 24, None)
"""Result codes of chapter 4.1; None is a bare ERROR."""
PUBLISHING = ("CMQTTTOPIC", "CMQTTPAYLOAD", "CMQTTPUB")


class FaultTarget(Protocol):
    """The part of a station that a fault uses."""

    @property
    def simulation(self) -> Simulation:
        """The simulated module."""

    def wait_until_lost(self) -> None:
        """Returns when the driver knows that both connections are lost."""

    def wait_until_unplugged(self) -> None:
        """Returns when the port is gone; the fault may first wait for a message to cut."""

    def bytes_read(self) -> int:
        """Returns the number of bytes that the driver has read from its port."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault."""

    name: str
    inject: Callable[[FaultTarget, random.Random], None]


def _damage(kind: str) -> Fault:
    def inject(target: FaultTarget, rng: random.Random) -> None:
        target.simulation.inject_fault("damage_next", kind, rng.randint(-40, 160), rng.randint(1, 4))

    return Fault(f"{kind} bytes", inject)


def _foreign_line(gap: Gap) -> Fault:
    def inject(target: FaultTarget, rng: random.Random) -> None:
        line = rng.choice(FOREIGN_LINES)
        target.simulation.inject_fault("inject_at", gap, f"\r\n{line}\r\n".encode())

    return Fault(f"URC {gap.replace('_', ' ')}", inject)


def _drop_connection(target: FaultTarget, rng: random.Random) -> None:
    target.simulation.inject_fault("drop_connection", rng.randint(0, 1), rng.randint(1, 3))


def _lose_network(target: FaultTarget, _rng: random.Random) -> None:
    target.simulation.inject_fault("lose_network")
    target.wait_until_lost()
    target.simulation.inject_fault("restore_network")


def _reboot(target: FaultTarget, rng: random.Random) -> None:
    _inject_now_or_within_message("reboot", target, rng)


def _unplug(target: FaultTarget, rng: random.Random) -> None:
    _inject_now_or_within_message("unplug", target, rng)
    target.wait_until_unplugged()
    target.wait_until_lost()
    target.simulation.forget_unread(target.bytes_read())
    target.simulation.inject_fault("plug")


def _inject_now_or_within_message(fault: str, target: FaultTarget, rng: random.Random) -> None:
    """Injects the fault now, or in the middle of the next message."""
    if rng.random() < 0.5:
        target.simulation.inject_fault(fault)
    else:
        target.simulation.inject_fault_within_message(fault, rng.random())


def _fail(target: FaultTarget, rng: random.Random) -> None:
    target.simulation.inject_fault("fail_next", rng.choice(PUBLISHING), rng.choice(FAILURES))


def _delay(target: FaultTarget, rng: random.Random) -> None:
    stages = ("echo", "prompt", "ok", "result", "all")
    target.simulation.inject_fault(
        "delay_next", rng.choice(PUBLISHING), rng.uniform(0.05, 1.5), rng.choice(stages)
    )


def _mute(target: FaultTarget, rng: random.Random) -> None:
    command = rng.choice(PUBLISHING)
    stages = ("ok", "result", "all") if command == "CMQTTPUB" else ("prompt", "ok", "all")
    target.simulation.inject_fault("mute_next", command, rng.choice(stages))


def _several(target: FaultTarget, rng: random.Random) -> None:
    for fault in rng.sample(SINGLE_FAULTS, 3):
        fault.inject(target, rng)


SINGLE_FAULTS: tuple[Fault, ...] = (
    _damage("drop"),
    _damage("flip"),
    _damage("add"),
    *(_foreign_line(gap) for gap in GAPS),
    Fault("drop connection", _drop_connection),
    Fault("lose network", _lose_network),
    Fault("reboot", _reboot),
    Fault("unplug", _unplug),
    Fault("fail next", _fail),
    Fault("delay next", _delay),
    Fault("mute next", _mute),
)
FAULTS = (*SINGLE_FAULTS, Fault("three at once", _several))


def shuffled_faults(rng: random.Random) -> Iterator[Fault]:
    """Yields all kinds of fault in random order, again and again."""
    while True:
        yield from rng.sample(FAULTS, len(FAULTS))
