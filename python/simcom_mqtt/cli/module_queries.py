"""AT queries of `simcom-mqtt doctor` without a method in the package: the only answers that the CLI reads."""

import csv
from datetime import UTC, datetime, timedelta, timezone

from simcom_mqtt import CommandError, SimcomMqtt

REGISTRATION_COMMANDS = ("CEREG", "CGREG", "CREG")


def sim_state(modem: SimcomMqtt) -> str:
    """Return the state of the SIM card, for example "READY" or "SIM PIN": `AT+CPIN?`."""
    return next((values[0] for values in _answers(modem, "CPIN") if values), "no answer")


def registrations(modem: SimcomMqtt) -> dict[str, int]:
    """Return the registration states that the module knows: `AT+CEREG?`, `AT+CGREG?`, `AT+CREG?`."""
    states = {}
    for command in REGISTRATION_COMMANDS:
        try:
            answers = _answers(modem, command)
        except CommandError:  # some firmwares do not know all three
            continue
        for values in answers:
            if len(values) > 1 and values[1].isdecimal():
                states[command] = int(values[1])
    return states


def is_operator_fixed(modem: SimcomMqtt) -> bool:
    """Return True if the module may use one operator only: `AT+COPS?`."""
    try:
        return any(values[0] in ("1", "2") for values in _answers(modem, "COPS"))
    except CommandError:
        return False


def access_points(modem: SimcomMqtt) -> dict[int, str]:
    """Return the APN of each PDP context: `AT+CGDCONT?`."""
    try:
        answers = _answers(modem, "CGDCONT")
    except CommandError:
        return {}
    return {int(values[0]): values[2] for values in answers if len(values) > 2 and values[0].isdecimal()}


def clock(modem: SimcomMqtt) -> datetime | None:
    """Return the time of the module, in UTC; None: the answer is not a time: `AT+CCLK?`."""
    for values in _answers(modem, "CCLK"):
        text = values[0]
        zone = timezone(timedelta(minutes=15 * int(text[17:]))) if text[17:].lstrip("+-").isdecimal() else UTC
        try:
            return datetime.strptime(text[:17], "%y/%m/%d,%H:%M:%S").replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            continue
    return None


def _answers(modem: SimcomMqtt, command: str) -> list[list[str]]:
    """Return the values of each line of the answer to a read command."""
    prefix = f"+{command}:"
    lines = [line for line in modem.command(f"AT+{command}?") if line.startswith(prefix)]
    return [
        next(csv.reader([line.removeprefix(prefix).strip()], skipinitialspace=True), [""]) for line in lines
    ]
