"""Every kind of fault, and how one of them strikes a module."""

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
"""Result codes of chapter 4.1, and a bare ERROR."""
PUBLISHING = ("CMQTTTOPIC", "CMQTTPAYLOAD", "CMQTTPUB")


class Bench(Protocol):
    """What a fault needs of the station that it strikes."""

    @property
    def simulation(self) -> Simulation:
        """The module."""

    def wait_until_lost(self) -> None:
        """Return when the driver knows that both connections are gone."""

    def wait_until_unplugged(self) -> None:
        """Return when the port is gone, which may wait for a message to cut."""

    def bytes_read(self) -> int:
        """All that the driver has read from its port."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault."""

    name: str
    strike: Callable[[Bench, random.Random], None]


def _damage(kind: str) -> Fault:
    def strike(bench: Bench, chance: random.Random) -> None:
        bench.simulation.suffer("damage_next", kind, chance.randint(-40, 160), chance.randint(1, 4))

    return Fault(f"{kind} bytes", strike)


def _foreign_line(gap: Gap) -> Fault:
    def strike(bench: Bench, chance: random.Random) -> None:
        line = chance.choice(FOREIGN_LINES)
        bench.simulation.suffer("inject_at", gap, f"\r\n{line}\r\n".encode())

    return Fault(f"URC {gap.replace('_', ' ')}", strike)


def _drop_connection(bench: Bench, chance: random.Random) -> None:
    bench.simulation.suffer("drop_connection", chance.randint(0, 1), chance.randint(1, 3))


def _lose_network(bench: Bench, _chance: random.Random) -> None:
    bench.simulation.suffer("lose_network")
    bench.wait_until_lost()
    bench.simulation.suffer("restore_network")


def _reboot(bench: Bench, chance: random.Random) -> None:
    _break_off("reboot", bench, chance)


def _unplug(bench: Bench, chance: random.Random) -> None:
    _break_off("unplug", bench, chance)
    bench.wait_until_unplugged()
    bench.wait_until_lost()
    bench.simulation.unread(bench.bytes_read())
    bench.simulation.suffer("plug")


def _break_off(fault: str, bench: Bench, chance: random.Random) -> None:
    """At any time, or in the middle of a message."""
    if chance.random() < 0.5:
        bench.simulation.suffer(fault)
    else:
        bench.simulation.suffer_within_a_message(fault, chance.random())


def _fail(bench: Bench, chance: random.Random) -> None:
    bench.simulation.suffer("fail_next", chance.choice(PUBLISHING), chance.choice(FAILURES))


def _delay(bench: Bench, chance: random.Random) -> None:
    stages = ("echo", "prompt", "ok", "result", "all")
    bench.simulation.suffer(
        "delay_next", chance.choice(PUBLISHING), chance.uniform(0.05, 1.5), chance.choice(stages)
    )


def _mute(bench: Bench, chance: random.Random) -> None:
    command = chance.choice(PUBLISHING)
    stages = ("ok", "result", "all") if command == "CMQTTPUB" else ("prompt", "ok", "all")
    bench.simulation.suffer("mute_next", command, chance.choice(stages))


def _several(bench: Bench, chance: random.Random) -> None:
    for fault in chance.sample(SINGLE_FAULTS, 3):
        fault.strike(bench, chance)


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


def endless_plan(chance: random.Random) -> Iterator[Fault]:
    """Every kind before any kind again, in random order."""
    while True:
        yield from chance.sample(FAULTS, len(FAULTS))
