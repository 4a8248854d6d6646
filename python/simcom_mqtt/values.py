"""Values that the module, its network and this host report: frozen dataclasses, made by the driver.

They compare, hash, copy and pickle by value, and work with `dataclasses.asdict`, `match` and pandas. A field
is None where the module does not say.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

__all__ = [
    "Cell",
    "ClientState",
    "ModuleInfo",
    "PdpContext",
    "PortInfo",
    "Position",
    "Registration",
    "SignalQuality",
    "Sim",
    "Stats",
]


@dataclass(frozen=True, slots=True, repr=False)
class _Value:
    """The representations that all values share."""

    def __repr__(self) -> str:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        shown = ", ".join(f"{name}={value!r}" for name, value in values.items() if value is not None)
        return f"{type(self).__name__}({shown})"

    def _repr_html_(self) -> str:
        """As a table, for notebooks."""
        from simcom_mqtt.tables import table

        return table(self)


@dataclass(frozen=True, slots=True, repr=False)
class ModuleInfo(_Value):
    """The identity of the module: `AT+CGMI`, `AT+CGMM`, `AT+CGMR`, `AT+CGSN`.

    manufacturer: for example "SIMCOM INCORPORATED".
    model: for example "SIM7670G-MNGV".
    revision: of the firmware.
    imei: the serial number of the module, 15 digits.
    raw: the lines of the module.
    """

    manufacturer: str
    model: str
    revision: str
    imei: str
    raw: str


@dataclass(frozen=True, slots=True, repr=False)
class SignalQuality(_Value):
    """The strength of the received signal: `AT+CSQ`.

    rssi_dbm: −113 to −51 dBm in steps of 2; None: not known.
    ber: class of the bit error rate, 0–7; None: not known.
    raw: the line of the module.
    """

    rssi_dbm: int | None
    ber: int | None
    raw: str


@dataclass(frozen=True, slots=True, repr=False)
class Cell(_Value):
    """The cell that serves the module: `AT+CPSI?`.

    Without service, only `mode`, `operation` and `raw` are set. Levels are in decibels for every firmware:
    SIM767XX prints decibels, A76XX the reporting levels of 3GPP TS 36.133 (converted to the lower edge of
    their step), SIM7600 tenths of a decibel. A level in an undocumented form is None; `raw` has it.

    mode: "LTE", "WCDMA", "GSM" or "NO SERVICE".
    operation: "Online", "Offline" or "Low Power Mode".
    mcc_mnc: mobile country and network code, for example "460-00".
    tac: tracking area code; in GSM and WCDMA the location area code.
    cell_id: identity of the serving cell.
    physical_cell_id: number of the cell on the radio channel; in WCDMA the primary scrambling code.
    band: for example "EUTRAN-BAND3", "WCDMA IMT 2000" or "EGSM 900".
    earfcn: number of the radio channel: EARFCN, UARFCN or ARFCN.
    downlink_bandwidth: class of the bandwidth in LTE, 0–5: 1.4, 3, 5, 10, 15 and 20 MHz.
    uplink_bandwidth: class of the bandwidth in LTE, as `downlink_bandwidth`.
    rsrq_db: quality of the reference signal, about −20 to −3 dB; in WCDMA Ec/Io.
    rsrp_dbm: power of the reference signal, about −140 to −44 dBm; in WCDMA the received signal code power.
    rssi_dbm: power of the whole received signal in LTE and GSM, dBm.
    rssnr_db: signal-to-noise ratio of the reference signal where the firmware prints decibels.
    sinr_db: signal to interference and noise, −20 to 30 dB, where the firmware reports RSSNR.
    raw: the line of the module.
    """

    mode: str
    operation: str
    mcc_mnc: str | None = None
    tac: int | None = None
    cell_id: int | None = None
    physical_cell_id: int | None = None
    band: str | None = None
    earfcn: int | None = None
    downlink_bandwidth: int | None = None
    uplink_bandwidth: int | None = None
    rsrq_db: float | None = None
    rsrp_dbm: int | None = None
    rssi_dbm: int | None = None
    rssnr_db: int | None = None
    sinr_db: float | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Sim(_Value):
    """The SIM card: `AT+CPIN?`, `AT+CICCID`, `AT+CIMI`.

    state: "ready", or what the module waits for: "pin" (`SimcomMqtt.enter_pin`) or "puk" (the card is
        locked), "absent", "busy" (it starts, for up to 5 s), "failure".
    iccid: number of the card, 18–20 digits.
    imsi: number of the subscriber, up to 15 digits; None until the card is ready.
    raw: the lines of the module.
    """

    state: Literal["ready", "pin", "puk", "absent", "busy", "failure", "unknown"]
    iccid: str | None
    imsi: str | None
    raw: str


@dataclass(frozen=True, slots=True, repr=False)
class Registration(_Value):
    """The registration in the network: the best of `AT+CREG?`, `AT+CGREG?` and `AT+CEREG?`, and `AT+COPS?`.

    state: "home" or "roaming" in a network; "denied": the operator refuses the card; "sms only" and
        "emergency only": without data.
    technology: "LTE", "WCDMA" or "GSM".
    operator: name of the operator, or mobile country and network code, as the module reports it.
    is_registered: True: home or roaming, with packet service.
    raw: the lines of the module.
    """

    state: Literal[
        "home",
        "roaming",
        "searching",
        "denied",
        "not searching",
        "unknown",
        "sms only",
        "emergency only",
    ]
    technology: str | None
    operator: str | None
    is_registered: bool
    raw: str


@dataclass(frozen=True, slots=True, repr=False)
class PdpContext(_Value):
    """A PDP context that carries data: `AT+CGDCONT?`, `AT+CGACT?`, `AT+CGPADDR`.

    number: 1–24.
    type: "IP", "IPV6" or "IPV4V6".
    apn: name of the access point; empty: the network chooses.
    is_active: True: the context is connected.
    address: address of the module in this context; None: none yet.
    """

    number: int
    type: str
    apn: str
    is_active: bool
    address: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Position(_Value):
    """A position by satellites: `AT+CGNSSINFO`.

    latitude: degrees in WGS 84, −90 to 90, north positive.
    longitude: degrees in WGS 84, −180 to 180, east positive.
    altitude: metres above sea level.
    speed: km/h over ground.
    course: degrees from north, 0–360.
    time: time of the fix, in UTC.
    satellites: number of satellites in use.
    hdop: horizontal dilution of precision: about 1 is good, 5 is poor.
    raw: the line of the module.
    """

    latitude: float
    longitude: float
    altitude: float | None
    speed: float | None
    course: float | None
    time: datetime
    satellites: int | None
    hdop: float | None
    raw: str


@dataclass(frozen=True, slots=True, repr=False)
class ClientState(_Value):
    """The state of a client as the module reports it.

    From `AT+CMQTTACCQ?`, `CONNECT?`, `DISC?`, `SSLCFG?` and `CFG?`. User name and password, which the module
    reports too, are left out.

    client_id: empty: not acquired.
    server_type: 0: TCP, 1: TLS.
    server_address: for example "tcp://host:1883"; None: not connected.
    keepalive: seconds.
    clean_session: True: the broker forgets the client between connections; None: not connected.
    connected: True: the module says that the client is connected.
    ssl_context: 0–9; None: not set, the module uses the context with the number of the client.
    check_utf8: True: the module refuses topics that are not UTF-8.
    operation_timeout: seconds.
    raw: the lines of the module, secrets masked.
    """

    client_id: str
    server_type: int
    server_address: str | None
    keepalive: int | None
    clean_session: bool | None
    connected: bool
    ssl_context: int | None
    check_utf8: bool
    operation_timeout: int
    raw: str


@dataclass(frozen=True, slots=True, repr=False)
class Stats(_Value):
    """Counters since the port was opened, at the time of the question.

    bytes_in: bytes read from the port.
    bytes_out: bytes written to the port.
    commands: AT commands written.
    messages: messages received whole.
    publishes: publishes that the module reported as done.
    damaged_messages: messages dropped because bytes were lost or altered on the line.
    dropped_messages: messages and unsolicited lines dropped because the queue to the callback thread was
        full.
    unknown_lines: lines that belong to no command and are no known unsolicited line.
    late_results: results that came after their caller had stopped waiting.
    queue_peak: the most messages that ever waited for the callback thread.
    reconnects: how often clients with a `Reconnect` policy came back.
    framing_errors: bytes without a stop bit, as the port's driver counted them: noise, or another baud
        rate. A message that came with such a byte, or with one of the next three kinds, is dropped and
        counted in damaged_messages.
    parity_errors: bytes with a wrong parity bit.
    overruns: bytes lost because the port's hardware or the system had no room for them.
    breaks: breaks on the line.
    """

    bytes_in: int
    bytes_out: int
    commands: int
    messages: int
    publishes: int
    damaged_messages: int
    dropped_messages: int
    unknown_lines: int
    late_results: int
    queue_peak: int
    reconnects: int
    framing_errors: int = 0
    parity_errors: int = 0
    overruns: int = 0
    breaks: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class PortInfo(_Value):
    """A serial port of this host.

    device: what `SimcomMqtt` takes, for example "/dev/ttyUSB2".
    by_id: a name that stays the same at any socket, for example "/dev/serial/by-id/usb-…-if04-port0".
    description: manufacturer, product and interface, as the USB device names them.
    vid: USB vendor number.
    pid: USB product number.
    serial_number: as the USB device reports it. Many modules all report the same.
    interface: number of the USB interface: a module has several ports, and one of them speaks AT.
    """

    device: str
    by_id: str | None = None
    description: str | None = None
    vid: int | None = None
    pid: int | None = None
    serial_number: str | None = None
    interface: int | None = None
