"""Fixtures of all tests: a broker, a simulated module, the driver on it, and an ordinary client."""

import signal
import uuid
from collections.abc import Iterator

import pytest

from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from simcom_mqtt import SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

# For the tests of the plugin; pytest takes this in the topmost conftest.py only.
pytest_plugins = ["pytester"]


@pytest.fixture(scope="session", autouse=True)
def _default_signal_handlers() -> Iterator[None]:
    """Restores default handlers: in the background or under nohup, processes inherit ignored signals."""
    interrupt = signal.signal(signal.SIGINT, signal.default_int_handler)
    hang_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGHUP, hang_up)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MosquittoBroker]:
    """A Mosquitto with four listeners: plain, with passwords, with TLS, wanting client certificates."""
    with MosquittoBroker(tmp_path_factory.mktemp("mosquitto")) as broker:
        yield broker


@pytest.fixture
def simulator() -> Iterator[SimulatedModem]:
    """A simulated module in its power-on state, on a pseudo-terminal."""
    with SimulatedModem() as module:
        yield module


@pytest.fixture
def modem(simulator: SimulatedModem) -> Iterator[SimcomMqtt]:
    """The driver on the simulated module."""
    with SimcomMqtt(simulator.port) as driver:
        yield driver


@pytest.fixture
def broker_url(mosquitto: MosquittoBroker) -> str:
    """The URL of Mosquitto's plain listener."""
    return f"mqtt://127.0.0.1:{mosquitto.plain}"


@pytest.fixture
def host(mosquitto: MosquittoBroker) -> Iterator[HostClient]:
    """An ordinary MQTT client on the same broker."""
    with HostClient(mosquitto.plain) as client:
        yield client


@pytest.fixture
def base() -> str:
    """Prefix of the topics of this test only, so that retained messages do not reach other tests."""
    return f"test/{uuid.uuid4().hex}"
