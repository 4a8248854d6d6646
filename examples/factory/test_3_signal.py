"""Signal: the levels are within the limits. A bad antenna or antenna cable shows here."""

from collections.abc import Callable
from typing import Any

from simcom_mqtt import SimcomMqtt

RecordProperty = Callable[[str, object], None]


def test_received_signal_strength(
    simcom: SimcomMqtt, limits: dict[str, Any], record_property: RecordProperty
) -> None:
    """Measures RSSI by AT+CSQ."""
    check("rssi_dbm", simcom.signal_quality().rssi_dbm, limits, record_property)


def test_reference_signal(
    simcom: SimcomMqtt, limits: dict[str, Any], record_property: RecordProperty
) -> None:
    """Measures RSRP and RSRQ by AT+CPSI."""
    cell = simcom.cell()

    check("rsrp_dbm", cell.rsrp_dbm, limits, record_property)
    check("rsrq_db", cell.rsrq_db, limits, record_property)


def check(name: str, value: float | None, limits: dict[str, Any], record_property: RecordProperty) -> None:
    """Write a value into the report, and compare it with its limit."""
    record_property(name, value)
    minimum = limits["signal"][f"minimum_{name}"]
    assert value is not None, f"the module does not know its {name}: is the antenna connected?"
    assert value >= minimum, f"{name} is {value}, the limit {minimum}: look at the antenna and its cable"
