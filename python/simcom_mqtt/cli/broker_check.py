"""The check of `simcom-mqtt doctor` of a broker: connects, and finds the cause if that fails."""

import time
from dataclasses import replace
from typing import Final

from simcom_mqtt import MqttError, ResultCode, SimcomError, SimcomMqtt, Tls

from .broker_options import Broker
from .device_options import Device
from .finding import Finding, failed, fine
from .text import error_text

_REFUSED: Final = frozenset(range(ResultCode.REFUSED_PROTOCOL_VERSION, ResultCode.REFUSED_NOT_AUTHORIZED + 1))
"""Results that come from a broker: the connection below MQTT works."""
_NOT_REACHED: Final = frozenset(
    {ResultCode.SOCK_CONNECT_FAIL, ResultCode.NETWORK_OPEN_FAIL, ResultCode.TIMEOUT}
)
_NETWORK: Final = "the module must reach the broker through its own network, not through this machine's"


def check_broker(modem: SimcomMqtt, broker: Broker, url: str, device: Device) -> Finding:
    """Connect as the other commands do, and disconnect again."""
    began = time.monotonic()
    try:
        client = broker.connect(modem, url, device)
    except SimcomError as error:
        return failed("broker", error_text(error), _fix(modem, broker, url, device, error))
    took = time.monotonic() - began
    client.disconnect()
    client.release()
    dates = "; certificate dates were not checked" if broker.tls else ""
    return fine("broker", f"{url} accepted {client.client_id} after {took:.1f} s{dates}")


def _fix(modem: SimcomMqtt, broker: Broker, url: str, device: Device, error: SimcomError) -> str:
    code = error.code if isinstance(error, MqttError) else None
    if code in (ResultCode.REFUSED_BAD_USER_NAME_OR_PASSWORD, ResultCode.REFUSED_NOT_AUTHORIZED):
        return "check --username and the password"
    if code == ResultCode.DNS_ERROR:
        return "check the spelling of --host; the module's network must be able to resolve it"
    if code is None or code in _REFUSED or code in _NOT_REACHED:
        return _NETWORK
    if broker.tls is None:
        if _answers(modem, broker, _with_tls(url), device):
            return "this port speaks TLS: give --cafile FILE, or --insecure to verify nothing"
        return _NETWORK
    if _answers(modem, broker, _without_tls(url), device):
        return "this port speaks MQTT without TLS: leave the TLS options out, or give the TLS port to --port"
    if _answers(modem, broker, url, device):
        return (
            "TLS works without verification: --cafile must be the authority of the broker's certificate, and "
            "--host the name in it"
        )
    if broker.has_client_certificate:
        return "is --cert known to the broker, and does --key belong to it?"
    return (
        "TLS fails without verification too: give --cert and --key if the broker wants a client certificate; "
        "else its key type (ECDSA) or its cipher suites are not those of the module"
    )


def _answers(modem: SimcomMqtt, broker: Broker, url: str, device: Device) -> bool:
    """Return True if a broker answers at this URL. No user name and no password is sent."""
    tls = Tls(verify="none") if url.startswith("mqtts:") else None
    probe = replace(broker, username=None, password=None, will=None, tls=tls)
    try:
        client = probe.connect(modem, url, device)
    except MqttError as error:
        return error.code in _REFUSED
    except SimcomError:
        return False
    client.disconnect()
    client.release()
    return True


def _with_tls(url: str) -> str:
    # The port of a URL without one is another with TLS: the same port is meant.
    host = url.removeprefix("mqtt://")
    return f"mqtts://{host if _has_port(host) else f'{host}:1883'}"


def _without_tls(url: str) -> str:
    host = url.removeprefix("mqtts://")
    return f"mqtt://{host if _has_port(host) else f'{host}:8883'}"


def _has_port(host: str) -> bool:
    return ":" in host.rpartition("]")[2]
