"""A simulated module on Mosquitto's plain listener, and a raw host on its port."""

import logging
from collections.abc import Iterator

import pytest

from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from simcom_mqtt.simulator import SimulatedModem
from simulator.wire import Wire


@pytest.fixture(autouse=True)
def internal_errors(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """The internal errors that a test expects in the log; without them the log must hold none."""
    errors: list[str] = []
    yield errors
    logged = [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert logged == errors


@pytest.fixture
def host(mosquitto: MosquittoBroker) -> Iterator[HostClient]:
    """A plain MQTT client on the same broker, without a reference cycle that would keep sockets open."""
    with HostClient(mosquitto.plain) as client:
        yield client
    paho = client._client
    paho.on_connect = paho.on_subscribe = paho.on_message = None


@pytest.fixture
def module(mosquitto: MosquittoBroker) -> Iterator[SimulatedModem]:
    """A simulated module that connects to Mosquitto."""
    with SimulatedModem(broker=f"127.0.0.1:{mosquitto.plain}") as modem:
        yield modem


@pytest.fixture
def fresh_wire(module: SimulatedModem) -> Iterator[Wire]:
    """A raw host on the module's port: echo is on."""
    with Wire(module.port) as wire:
        yield wire


@pytest.fixture
def wire(fresh_wire: Wire) -> Wire:
    """A raw host with echo off."""
    fresh_wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
    return fresh_wire


@pytest.fixture
def started(wire: Wire) -> Wire:
    """A raw host after START."""
    wire.ask(b"AT+CMQTTSTART", b"\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n")
    return wire


@pytest.fixture
def acquired(started: Wire, base: str) -> Wire:
    """A raw host after ACCQ of client 0."""
    started.ok(b'AT+CMQTTACCQ=0,"%b"' % base.encode())
    return started


@pytest.fixture
def connected(acquired: Wire) -> Wire:
    """A raw host after CONNECT of client 0."""
    acquired.ask(
        b'AT+CMQTTCONNECT=0,"tcp://broker.example:1883",60,1', b"\r\nOK\r\n\r\n+CMQTTCONNECT: 0,0\r\n"
    )
    return acquired
