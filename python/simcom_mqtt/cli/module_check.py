"""Firmware, clock, MQTT service and TLS of the module."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from simcom_mqtt import CommandError, SimcomMqtt

from .finding import Finding, failed, fine, warning

FAMILY: Final = ("SIM767", "SIM765")
SIBLINGS: Final = ("A76", "SIM76")
TROUBLESOME: Final = {
    "2374B03": "it may fail to store a certificate chain of more than 4 KB, and with it MQTTS",
    "2374B04": "it may fail to store a certificate chain of more than 4 KB, and with it MQTTS",
    "2388B03": "board makers advise against it",
}
SSL_CONTEXTS: Final = 10
LARGEST_CLOCK_ERROR: Final = timedelta(minutes=5)
SET_BY_NETWORK: Final = "`simcom-mqtt at AT+CTZU=1` has the network set it when the module registers next"


def check_firmware(modem: SimcomMqtt) -> Finding:
    """`AT+CGMM`, `AT+CGMR`."""
    module = modem.info()
    text = f"{module.model}, {module.revision}"
    for beginning, trouble in TROUBLESOME.items():
        if module.revision.startswith(beginning):
            return warning("firmware", f"{text}: {trouble}", "ask SIMCom for 2374B05 or later")
    if module.model.startswith(FAMILY):
        return fine("firmware", text)
    if module.model.startswith(SIBLINGS):
        return fine("firmware", f"{text}, a sibling of the SIM7672X and SIM7652X")
    return warning("firmware", f"{text}: not of a family that is known here", "does it know AT+CMQTTSTART=?")


def check_clock(modem: SimcomMqtt) -> Finding:
    """`AT+CCLK?`."""
    try:
        lines = modem.command("AT+CCLK?")
    except CommandError as error:
        return warning("clock", f"AT+CCLK? was answered with {error.response}", "it cannot be checked")
    time = next(filter(None, map(_time, lines)), None)
    if time is None:
        return warning("clock", f"{' '.join(lines) or 'nothing'} tells no time", SET_BY_NETWORK)
    error_of_clock = abs(time - datetime.now(UTC))
    if error_of_clock > LARGEST_CLOCK_ERROR:
        return warning(
            "clock",
            f"{time:%Y-%m-%d %H:%M:%S} UTC, {_rounded(error_of_clock)} off: a certificate whose dates are "
            "checked may be refused",
            SET_BY_NETWORK,
        )
    return fine("clock", f"{time:%Y-%m-%d %H:%M:%S} UTC")


def _time(line: str) -> datetime | None:
    found = re.match(r'\+CCLK: "(\d\d/\d\d/\d\d,\d\d:\d\d:\d\d)([+-]\d\d)?"', line)
    if found is None:
        return None
    zone = timezone(timedelta(minutes=15 * int(found[2] or 0)))
    try:
        return datetime.strptime(found[1], "%y/%m/%d,%H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
    except ValueError:
        return None


def _rounded(time: timedelta) -> str:
    if time.days:
        return f"{time.days} days"
    return f"{time.seconds // 60} minutes"


def check_service(modem: SimcomMqtt) -> Finding:
    """`AT+CMQTTREL?`, `AT+CMQTTACCQ?`."""
    if not modem.is_started():
        return fine("MQTT", "the service is stopped, and both clients are free")
    acquired = [
        found[1]
        for line in modem.command("AT+CMQTTACCQ?")
        if (found := re.match(r'\+CMQTTACCQ: \d,"([^"]+)"', line))
    ]
    if not acquired:
        return fine("MQTT", "the service runs, and both clients are free")
    return warning(
        "MQTT",
        f"an earlier program left clients acquired: {', '.join(acquired)}",
        "nothing to do: the next connect takes them over or tears them down",
    )


def check_tls(modem: SimcomMqtt) -> Finding:
    """`AT+CCERTLIST`, `AT+CSSLCFG=<context>`."""
    stored = modem.certificates()
    missing = [
        f"{settings[name]} ({name} of SSL context {context})"
        for context in range(SSL_CONTEXTS)
        for settings in [modem.ssl_context(context)]
        for name in ("cacert", "clientcert", "clientkey")
        if settings.get(name) and settings[name] not in stored
    ]
    if missing:
        return failed(
            "TLS",
            f"its settings name what is not stored: {', '.join(missing)}",
            "`simcom-mqtt certs upload FILE --name NAME`; --cafile and the like do it for you",
        )
    count = f"{len(stored)} files" if len(stored) != 1 else "1 file"
    return fine("TLS", f"{count} in the certificate store; SSL contexts 0-9 name none that is missing")
