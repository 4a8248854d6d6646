"""From the SIM card to the packet network."""

import re
from typing import Final

from simcom_mqtt import CommandError, SimcomMqtt

from .finding import Finding, failed, fine, warning

WEAK_DBM: Final = -100

_ANTENNA: Final = "check the antenna and its plug (MAIN, not DIV or GNSS), and go nearer to a window"
_NOT_REGISTERED: Final = {
    0: (
        "not registered, and not searching",
        "`simcom-mqtt at AT+CFUN=1` switches the radio on, `simcom-mqtt at AT+COPS=0` has it search",
    ),
    2: ("searching for a network", f"give it a minute; {_ANTENNA}; is the operator on the module's bands?"),
    3: (
        "the network refuses this SIM card",
        "ask the operator: is the card active, may it use LTE and roam, is the device's IMEI blocked?",
    ),
    4: ("out of coverage", _ANTENNA),
}
_SMS_ONLY: Final = (
    "registered for text messages or emergency calls only",
    "ask the operator for a card with LTE data",
)
_REGISTERED: Final = {1: "in its home network", 5: "roaming"}


def check_sim(modem: SimcomMqtt) -> Finding:
    """`AT+CPIN?`."""
    try:
        (state, *_) = [
            line.removeprefix("+CPIN:").strip()
            for line in modem.command("AT+CPIN?")
            if line.startswith("+CPIN:")
        ] or ["no answer"]
    except CommandError as error:
        return failed(
            "SIM",
            error.response,
            "put a SIM card in, the right way round, with the power off; clean its contacts",
        )
    if state == "READY":
        return fine("SIM", "ready")
    if state == "SIM PIN":
        return failed("SIM", "it waits for its PIN", "`simcom-mqtt at 'AT+CPIN=\"<PIN>\"'`")
    if state == "SIM PUK":
        return failed("SIM", "locked after wrong PINs: it waits for its PUK", 'AT+CPIN="<PUK>","<new PIN>"')
    return failed("SIM", state, "try the card in a telephone, and another card in the module")


def check_signal(modem: SimcomMqtt) -> Finding:
    """`AT+CSQ`."""
    level = modem.signal_quality().rssi_dbm
    if level is None:
        return failed("signal", "no signal", _ANTENNA)
    if level < WEAK_DBM:
        return warning("signal", f"{level} dBm, which is weak", _ANTENNA)
    return fine("signal", f"{level} dBm")


def check_registration(modem: SimcomMqtt) -> Finding:
    """`AT+CEREG?`, `AT+CPSI?`."""
    state = _registration(modem)
    if state in _REGISTERED:
        cell = modem.cell()
        place = ", ".join(filter(None, (cell.mode, cell.mcc_mnc, cell.band)))
        return fine("registration", f"{_REGISTERED[state]}: {place}")
    if state in _NOT_REGISTERED:
        return failed("registration", *_NOT_REGISTERED[state])
    if state in (6, 7, 8, 11):
        return failed("registration", *_SMS_ONLY)
    return failed("registration", f"state {state}, which tells nothing", "try again; restart the module")


def _registration(modem: SimcomMqtt) -> int | None:
    for line in modem.command("AT+CEREG?"):
        if found := re.match(r"\+CEREG: \d+,(\d+)", line):
            return int(found[1])
    return None


def check_packet_data(modem: SimcomMqtt) -> Finding:
    """`AT+CGACT?`."""
    active = [number for number, is_active in modem.pdp_contexts().items() if is_active]
    if active:
        return fine("PDP", f"context {', '.join(map(str, active))} active")
    return warning(
        "PDP",
        "no packet data context is active",
        "registered, it should be: set the operator's access point, `simcom-mqtt at "
        '\'AT+CGDCONT=1,"IP","<APN>"\'`, then `simcom-mqtt at AT+CGACT=1,1`',
    )
