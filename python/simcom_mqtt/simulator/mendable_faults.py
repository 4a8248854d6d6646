"""Faults that a person can mend, as a real module shows them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Literal, get_args

from .module import Module
from .packet_data import DEFAULT_CONTEXT
from .profiles import Profile
from .radio_network import OperatorSelection, RadioNetwork, Registration

Fault = Literal[
    "no-sim", "pin", "puk", "apn", "denied", "searching", "weak", "clock", "firmware", "no-antenna"
]

FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)

_OTHER_OPERATOR: Final = "46001"
_WRONG_APN: Final = "wrong.apn"
_WEAK_SIGNAL: Final = (2, 5)
_WEAK_LEVELS: Final = (3, 18)
_WEAK_CELL: Final = "LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,-19,-122,-109,-4"
_BAD_FIRMWARE: Final[Mapping[str, dict[str, object]]] = MappingProxyType(
    {
        "sim767x": {
            "revision": "2374B04SIM767XM5A_M",
            "second_revision": "SIM767XM5_B04V01_241010",
            "largest_file": 4096,
        },
        "a76xx": {
            "model": "A7608E-H",
            "revision": "A7608M7_B12V01_220927",
            "second_revision": "A011B12A7608M7",
            "connects_with_tls": False,
        },
    }
)
_SMALL_FILES: Final[dict[str, object]] = {"largest_file": 4096}


def check_faults(faults: Iterable[str]) -> frozenset[str]:
    """Return the faults as a set.

    :raises ValueError: a fault is unknown.
    """
    if isinstance(faults, str):
        faults = [faults]
    found = frozenset(faults)
    unknown = sorted(found.difference(FAULTS))
    if unknown:
        raise ValueError(f"faults must be some of {', '.join(FAULTS)}, not {unknown[0]!r}")
    return found


def faulty_profile(profile: Profile, faults: frozenset[str]) -> Profile:
    """Return the profile of a firmware with the fault `firmware`, or the profile itself."""
    if "firmware" not in faults:
        return profile
    return replace(profile, **_BAD_FIRMWARE.get(profile.name, _SMALL_FILES))  # type: ignore[arg-type]


def apply_faults(module: Module, faults: frozenset[str]) -> None:
    """Put a module that was just switched on into the states of the faults."""
    for fault in FAULTS:
        if fault in faults and fault in _APPLY:
            _APPLY[fault](module)
    module.restart_quietly()


def mend_fault(module: Module, fault: str) -> None:
    """Do what a person does to mend a fault that no command mends."""
    _MEND[fault](module)
    module.update_network()


def _remove_card(module: Module) -> None:
    module.sim.is_inserted = False


def _insert_card(module: Module) -> None:
    module.sim.is_inserted = True


def _enable_pin(module: Module) -> None:
    module.sim.is_pin_enabled = True


def _lock_with_puk(module: Module) -> None:
    module.sim.lock_with_puk()


def _set_wrong_apn(module: Module) -> None:
    module.data.contexts[DEFAULT_CONTEXT].apn = _WRONG_APN


def _be_denied(module: Module) -> None:
    module.network.selection = OperatorSelection(_OTHER_OPERATOR, Registration.DENIED)


def _search(module: Module) -> None:
    module.network.selection = OperatorSelection(_OTHER_OPERATOR, Registration.SEARCHING)


def _weaken_signal(module: Module) -> None:
    network = module.network
    network.signal, network.extended_signal, network.cell = _WEAK_SIGNAL, _WEAK_LEVELS, _WEAK_CELL


def _strengthen_signal(module: Module) -> None:
    network, good = module.network, RadioNetwork()
    network.signal, network.extended_signal, network.cell = good.signal, good.extended_signal, good.cell


def _lose_time(module: Module) -> None:
    module.clock.lose_time()


def _remove_antenna(module: Module) -> None:
    module.network.has_coverage = False


def _fit_antenna(module: Module) -> None:
    module.network.has_coverage = True


_APPLY: Final[Mapping[str, Callable[[Module], None]]] = MappingProxyType(
    {
        "no-sim": _remove_card,
        "pin": _enable_pin,
        "puk": _lock_with_puk,
        "apn": _set_wrong_apn,
        "denied": _be_denied,
        "searching": _search,
        "weak": _weaken_signal,
        "clock": _lose_time,
        "no-antenna": _remove_antenna,
    }
)
_MEND: Final[Mapping[str, Callable[[Module], None]]] = MappingProxyType(
    {"no-sim": _insert_card, "weak": _strengthen_signal, "no-antenna": _fit_antenna}
)
MENDED_BY_HAND: Final = tuple(_MEND)
