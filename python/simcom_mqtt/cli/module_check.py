"""Checks of `simcom-mqtt doctor` of the module itself: firmware, clock, MQTT service and TLS."""

from datetime import UTC, datetime, timedelta
from typing import Final

from simcom_mqtt import CommandError, SimcomMqtt

from .finding import Finding, failed, fine, warning

FAMILY: Final = ("SIM767", "SIM765")
SIBLINGS: Final = ("A76", "SIM76")
KNOWN_BAD: Final = {
    "2374B03": "it fails to store a certificate chain of more than 4 KB, and with it MQTT over TLS",
    "2374B04": "it fails to store a certificate chain of more than 4 KB, and with it MQTT over TLS",
    "2388B03": "board makers advise against it",
    "A7608M7_B12": "each connect over TLS fails with code 3",
}
SSL_CONTEXTS: Final = 10
LARGEST_CLOCK_ERROR: Final = timedelta(minutes=5)
SYNC: Final = "`simcom-mqtt clock --sync` sets it from a time server"


def check_firmware(modem: SimcomMqtt) -> Finding:
    """`AT+CGMM`, `AT+CGMR`."""
    module = modem.info()
    text = f"{module.model}, {module.revision}"
    for beginning, trouble in KNOWN_BAD.items():
        if module.revision.startswith(beginning):
            return failed(
                "firmware", f"{text}: {trouble}", "ask SIMCom for a later firmware, 2374B05 or above"
            )
    model = module.model.removeprefix("SIMCOM_")
    if model.startswith(FAMILY):
        return fine("firmware", text)
    if model.startswith(SIBLINGS):
        return fine("firmware", f"{text}, a sibling of the SIM7672X and SIM7652X")
    return warning(
        "firmware", f"{text}: not of a known family", "`simcom-mqtt at AT+CMQTTSTART=?` shows if it has MQTT"
    )


def check_clock(modem: SimcomMqtt) -> Finding:
    """`AT+CCLK?`."""
    try:
        now = modem.clock()
    except CommandError as error:
        return warning("clock", f"AT+CCLK? was answered with {error.response}", "it cannot be checked")
    if now is None:
        return failed("clock", "it was never set: a check of certificate dates fails", SYNC)
    shown = f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    difference = abs(now - datetime.now(UTC))
    if difference > LARGEST_CLOCK_ERROR:
        return warning(
            "clock",
            f"{shown}, {_rounded(difference)} off: a check of certificate dates may fail",
            SYNC,
        )
    return fine("clock", shown)


def _rounded(time: timedelta) -> str:
    return f"{time.days} days" if time.days else f"{time.seconds // 60} minutes"


def check_service(modem: SimcomMqtt) -> Finding:
    """`AT+CMQTTACCQ=?`, `AT+CMQTTREL?`, `AT+CMQTTACCQ?`."""
    try:
        modem.command("AT+CMQTTACCQ=?")
    except CommandError:
        return failed(
            "MQTT",
            "this module has no AT+CMQTT commands",
            "a module of the SIM7672X or SIM7652X family has them; ask SIMCom for a firmware with MQTT",
        )
    if not modem.is_started():
        return fine("MQTT", "the service is stopped, and both clients are free")
    acquired = [client.client_id for client in modem.clients()]
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
    contexts = {context: modem.ssl_context(context) for context in range(SSL_CONTEXTS)}
    missing = [
        f"{settings[name]} ({name} of SSL context {context})"
        for context, settings in contexts.items()
        for name in ("cacert", "clientcert", "clientkey")
        if settings.get(name) and settings[name] not in stored
    ]
    if missing:
        return failed(
            "TLS",
            f"its settings name files that are not stored: {', '.join(missing)}",
            "`simcom-mqtt certs upload FILE --name NAME`; --cafile, --cert and --key upload them too",
        )
    count = f"{len(stored)} files" if len(stored) != 1 else "1 file"
    unchecked = all(settings.get("ignorelocaltime") == 1 for settings in contexts.values())
    dates = "; certificate dates are not checked" if unchecked else ""
    return fine("TLS", f"{count} in the certificate store; SSL contexts 0-9 name none that is missing{dates}")
