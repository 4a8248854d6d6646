"""Checks of `simcom-mqtt doctor` from the SIM card to the packet network."""

import threading
import time
from typing import Final, NamedTuple

from simcom_mqtt import CommandError, SimcomMqtt

from .finding import Finding, Verdict, failed, fine
from .module_queries import access_points, is_operator_fixed, registrations, sim_state

SIM_START_TIME: Final = 20.0
"""Seconds in which a SIM card that is busy must become ready."""
SIM_POLL_INTERVAL: Final = 1.0
STARTING: Final = ("SIM busy", "14", "SIM failure", "13")
"""Errors of a SIM card that is still starting."""
NO_DATA_APNS: Final = ("ims", "sos")
"""Access points for voice and emergency calls: the module activates their contexts by itself."""

_ANTENNA: Final = "check the antenna and its plug (MAIN, not DIV or GNSS), and go nearer to a window"
_CARD: Final = "put a SIM card in, the right way round, with the power off; clean its contacts"


class Level(NamedTuple):
    """A level of the received signal with its limits."""

    name: str
    value: float | None
    unit: str
    weak: float
    """Below it the level is a warning."""
    useless: float
    """Below it the level is a failure."""

    @property
    def verdict(self) -> Verdict:
        """The severity of the level."""
        if self.value is None or self.value >= self.weak:
            return Verdict.FINE
        return Verdict.WARNING if self.value >= self.useless else Verdict.FAILED

    @property
    def text(self) -> str:
        """The level with its severity, for example "RSRP -112 dBm (weak)"."""
        judgement = {Verdict.FINE: "", Verdict.WARNING: " (weak)", Verdict.FAILED: " (too weak)"}
        return f"{self.name} {self.value:g} {self.unit}{judgement[self.verdict]}"


_SMS_ONLY: Final = (
    "registered for text messages or emergency calls only",
    "ask the operator for a card with LTE data",
)
_NOT_REGISTERED: Final = {
    3: (
        "the network refuses this SIM card",
        "ask the operator: is the card active, may it use LTE and roam, is the device's IMEI blocked?",
    ),
    2: ("searching for a network", f"wait a minute; {_ANTENNA}; is the operator on the module's bands?"),
    **dict.fromkeys((6, 7, 8, 11), _SMS_ONLY),
    4: ("out of coverage", _ANTENNA),
    0: (
        "not registered, and not searching",
        "`simcom-mqtt at AT+CFUN=1` switches the radio on, `simcom-mqtt at AT+COPS=0` starts a search",
    ),
}
"""States with their fixes. The first that one of the three commands reports says most about the cause."""
_REGISTERED: Final = {1: "in its home network", 5: "roaming"}
_FIXED_OPERATOR: Final = "the module may use one operator only: `simcom-mqtt at AT+COPS=0` lets it choose"


def check_sim(modem: SimcomMqtt) -> Finding:
    """`AT+CPIN?`; waits while the SIM card is busy."""
    try:
        state = _sim_state_after_start(modem)
    except CommandError as error:
        return failed("SIM", error.response, _CARD)
    if state == "READY":
        return fine("SIM", "ready")
    if state == "SIM PIN":
        return failed(
            "SIM",
            "it waits for its PIN",
            "with the PIN of the card in place of 1234: `simcom-mqtt at 'AT+CPIN=\"1234\"'`; three wrong "
            "PINs lock the card",
        )
    if state == "SIM PUK":
        return failed(
            "SIM",
            "locked after wrong PINs: it waits for its PUK",
            "with the PUK of the card in place of 12345678, and a new PIN: "
            '`simcom-mqtt at \'AT+CPIN="12345678","1234"\'`; ten wrong PUKs destroy the card',
        )
    if state == "NOT INSERTED":
        return failed("SIM", "not inserted", _CARD)
    return failed("SIM", state, "try the card in a telephone, and another card in the module")


def _sim_state_after_start(modem: SimcomMqtt) -> str:
    deadline = time.monotonic() + SIM_START_TIME
    changed = threading.Event()
    modem.on_urc = lambda line: changed.set() if line.startswith("+CPIN:") else None
    try:
        while True:
            changed.clear()
            try:
                return sim_state(modem)
            except CommandError as error:
                is_starting = error.response.removeprefix("+CME ERROR:").strip() in STARTING
                if not is_starting or time.monotonic() > deadline:
                    raise
            changed.wait(SIM_POLL_INTERVAL)
    finally:
        modem.on_urc = None


def check_signal(modem: SimcomMqtt) -> Finding:
    """`AT+CSQ`, `AT+CPSI?`."""
    cell = modem.cell()
    levels = [
        Level("RSSI", modem.signal_quality().rssi_dbm, "dBm", -100, -108),
        Level("RSRP", cell.rsrp_dbm, "dBm", -110, -120),
        Level("RSRQ", cell.rsrq_db, "dB", -15, -20),
        Level("SINR", cell.rssnr_db if cell.sinr_db is None else cell.sinr_db, "dB", 0, -6),
    ]
    levels = [level for level in levels if level.value is not None]
    if not levels:
        return failed("signal", "no signal", _ANTENNA)
    text = ", ".join(level.text for level in levels)
    verdicts = {level.verdict for level in levels}
    worst = next((each for each in (Verdict.FAILED, Verdict.WARNING) if each in verdicts), Verdict.FINE)
    return Finding("signal", worst, text, "" if worst is Verdict.FINE else _ANTENNA)


def check_registration(modem: SimcomMqtt) -> Finding:
    """`AT+CEREG?`, `AT+CGREG?`, `AT+CREG?`, `AT+CPSI?`, `AT+COPS?`."""
    states = list(registrations(modem).values())
    # In GSM and WCDMA the module is registered by CREG and CGREG only.
    registered = next((state for state in states if state in _REGISTERED), None)
    if registered is not None:
        cell = modem.cell()
        place = ", ".join(filter(None, (cell.mode, cell.mcc_mnc, cell.band)))
        return fine("registration", f"{_REGISTERED[registered]}: {place}")
    state = next((state for state in _NOT_REGISTERED if state in states), None)
    if state is None:
        return failed("registration", "the module reports no state", "try again; restart the module")
    text, fix = _NOT_REGISTERED[state]
    return failed("registration", text, _FIXED_OPERATOR if is_operator_fixed(modem) else fix)


def check_packet_data(modem: SimcomMqtt) -> Finding:
    """`AT+CGACT?`, `AT+CGDCONT?`."""
    apns = access_points(modem)
    active = [
        number
        for number, is_active in modem.pdp_contexts().items()
        if is_active and apns.get(number, "").lower() not in NO_DATA_APNS
    ]
    if active:
        shown = ", ".join(f"context {number} active, {_apn(apns.get(number))}" for number in active)
        return fine("PDP", shown)
    defined = ", ".join(
        f"context {number}: {_apn(apn)}" for number, apn in apns.items() if apn.lower() not in NO_DATA_APNS
    )
    return failed(
        "PDP",
        f"no packet data context is active ({defined or 'none is defined'})",
        "with the operator's access point in place of internet: `simcom-mqtt at "
        '\'AT+CGDCONT=1,"IP","internet"\'`, then `simcom-mqtt at AT+CGACT=1,1`',
    )


def _apn(name: str | None) -> str:
    if name is None:
        return "APN unknown"
    return f"APN {name}" if name else "APN chosen by the network"
