"""Network: the SIM card is ready, and the module is registered."""

from typing import Any

from simcom_mqtt import SimcomMqtt

HOME, ROAMING = "1", "5"


def test_the_sim_card_is_ready(simcom: SimcomMqtt) -> None:
    """Another state means that the card needs a PIN; an error, that there is no card or no contact."""
    assert simcom.command("AT+CPIN?") == ["+CPIN: READY"]


def test_it_is_registered(simcom: SimcomMqtt, limits: dict[str, Any]) -> None:
    """Registered and with a PDP context, within the time that a device has in the field."""
    simcom.wait_for_network(timeout=limits["network"]["registration_timeout"])

    (line,) = simcom.command("AT+CEREG?")
    state = line.split(",")[1]
    assert state in ([HOME, ROAMING] if limits["network"]["roaming"] else [HOME]), line
    assert any(simcom.pdp_contexts().values()), "no PDP context is active: is the APN right?"
