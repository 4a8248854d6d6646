"""Checks of `simcom-mqtt doctor` from the SIM card to the packet network."""

import threading
import time
from typing import Final, NamedTuple

from simcom_mqtt import PdpContext, Sim, SimcomMqtt

from .finding import Finding, Verdict, failed, fine

SIM_START_TIME: Final = 20.0
"""Seconds in which a SIM card that is busy must become ready."""
SIM_POLL_INTERVAL: Final = 1.0
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


_UNBLOCK: Final = """`simcom-mqtt at 'AT+CPIN="12345678","1234"'`"""
_SIM: Final = {
    "absent": ("SIM not inserted", _CARD),
    "failure": ("the module cannot read it", _CARD),
    "pin": (
        "it waits for its PIN",
        "with the PIN of the card in place of 1234: `simcom-mqtt pin 1234`; three wrong PINs lock the card",
    ),
    "puk": (
        "locked after wrong PINs: it waits for its PUK",
        f"with the card's PUK in place of 12345678, and a new PIN: {_UNBLOCK}; ten wrong ones destroy it",
    ),
}
_NO_DATA: Final = (
    "registered for text messages or emergency calls only",
    "ask the operator for a card with LTE data",
)
_NOT_REGISTERED: Final = {
    "denied": (
        "the network refuses this SIM card",
        "ask the operator: is the card active, may it use LTE and roam, is the device's IMEI blocked?",
    ),
    "searching": (
        "searching for a network",
        f"wait a minute; {_ANTENNA}; is the operator on the module's bands?",
    ),
    "sms only": _NO_DATA,
    "emergency only": _NO_DATA,
    "not searching": (
        "not registered, and not searching",
        "`simcom-mqtt at AT+CFUN=1` switches the radio on, `simcom-mqtt at AT+COPS=0` starts a search",
    ),
    "unknown": ("out of coverage, or in a state that the module does not report", _ANTENNA),
}
_FIXED_OPERATOR: Final = "the module may use one operator only: `simcom-mqtt at AT+COPS=0` lets it choose"


def check_sim(modem: SimcomMqtt) -> Finding:
    """`AT+CPIN?`; waits while the SIM card starts."""
    card = _sim_after_start(modem)
    if card.state == "ready":
        return fine("SIM", "ready")
    if card.state in _SIM:
        return failed("SIM", *_SIM[card.state])
    reported = card.raw.partition("\n")[0] or "no answer"
    return failed("SIM", reported, "try the card in a telephone, and another card in the module")


def _sim_after_start(modem: SimcomMqtt) -> Sim:
    deadline = time.monotonic() + SIM_START_TIME
    changed = threading.Event()
    modem.on_urc = lambda line: changed.set() if line.startswith("+CPIN:") else None
    try:
        while True:
            changed.clear()
            card = modem.sim()
            if card.state not in ("busy", "failure") or time.monotonic() > deadline:
                return card
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
    """`AT+CEREG?`, `AT+CGREG?`, `AT+CREG?`, `AT+COPS?`, `AT+CPSI?`."""
    registration = modem.registration()
    if registration.is_registered:
        cell = modem.cell()
        network = (registration.operator, cell.mode, cell.mcc_mnc, cell.band)
        where = "in its home network" if registration.state == "home" else registration.state
        return fine("registration", f"{where}: {', '.join(filter(None, network))}")
    if registration.state in ("home", "roaming"):
        return failed("registration", "registered for calls, without packet service", _NO_DATA[1])
    text, fix = _NOT_REGISTERED[registration.state]
    is_fixed = any(line.startswith(("+COPS: 1", "+COPS: 2")) for line in registration.raw.splitlines())
    return failed("registration", text, _FIXED_OPERATOR if is_fixed else fix)


def check_packet_data(modem: SimcomMqtt) -> Finding:
    """`AT+CGDCONT?`, `AT+CGACT?`, `AT+CGPADDR`; the contexts of voice and emergency calls do not count."""
    contexts = modem.data_contexts()
    active = [context for context in contexts if context.is_active]
    if active:
        return fine("PDP", "; ".join(_described(context) for context in active))
    defined = "; ".join(_described(context) for context in contexts)
    return failed(
        "PDP",
        f"no packet data context is active ({defined or 'none is defined'})",
        "with the access point of the operator in place of internet: `simcom-mqtt apn internet`",
    )


def _described(context: PdpContext) -> str:
    apn = f"APN {context.apn}" if context.apn else "APN chosen by the network"
    address = f", {context.address}" if context.address else ""
    return f"context {context.number} {'active' if context.is_active else 'inactive'}, {apn}{address}"
