"""The fixtures, each with the prefix of this plugin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_simcom_mqtt.callback_errors import raise_callback_errors
from pytest_simcom_mqtt.device import Device, device_in_use, device_under_test
from pytest_simcom_mqtt.options import SIMULATOR, Options
from pytest_simcom_mqtt.ports import port_to_test, require_port

if TYPE_CHECKING:
    from pytest_simcom_mqtt import Broker, HostClient
    from simcom_mqtt import MqttClient, SimcomMqtt
    from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture(scope="session")
def _simcom_device(pytestconfig: pytest.Config) -> Iterator[Device]:
    device = device_under_test(pytestconfig, require_port(pytestconfig))
    from simcom_mqtt import SimcomError

    try:
        device.open()
    except (SimcomError, OSError, ValueError) as error:
        raise pytest.fail.Exception(f"the module cannot be used: {error}", pytrace=False) from None
    yield device
    device.close()
    raise_callback_errors(device)


@pytest.fixture(scope="session")
def simcom_modem(_simcom_device: Device) -> SimcomMqtt:
    """The module, opened once: a `simcom_mqtt.SimcomMqtt` for fixtures that prepare it for a whole session.

    As the tests leave it. Tests take `simcom`, which is clean, and open again if need be.
    """
    return _simcom_device.open()


@pytest.fixture(scope="session")
def simcom_is_simulated(pytestconfig: pytest.Config) -> bool:
    """Whether the module is a simulated one, for fixtures that prepare a rig accordingly."""
    return require_port(pytestconfig) == SIMULATOR


@pytest.fixture
def simcom(_simcom_device: Device) -> SimcomMqtt:
    """A clean module: no service, no clients, no callbacks, whatever the last test left.

    A `simcom_mqtt.SimcomMqtt`, that of `simcom_modem` unless the port was closed or lost meanwhile.
    Certificates stay. A simulated module has no fault armed, its cable in and its network back.
    """
    return _clean(_simcom_device)


@pytest.fixture
def simcom_topic_prefix() -> str:
    """The beginning of this test's topics and of no other's, as in f"{simcom_topic_prefix}/state"."""
    return f"simcom-test/{_unique()}"


@pytest.fixture
def simcom_client(simcom: SimcomMqtt, simcom_broker: Broker) -> Iterator[MqttClient]:
    """A client of the module, connected to `simcom_broker` by a client id of its own.

    A `simcom_mqtt.MqttClient`. Take `simcom_topic_prefix` for its topics.
    """
    with simcom.connect(simcom_broker.url, client_id=f"simcom-{_unique()}") as client:
        yield client


@pytest.fixture
def simcom_simulator(_simcom_device: Device) -> SimulatedModem:
    """The simulated module, to make it fail; skips on a real one.

    A `simcom_mqtt.simulator.SimulatedModem`.
    """
    if _simcom_device.simulated is None:
        pytest.skip("needs a simulated module: run with --simcom-port=simulator")
    return _simcom_device.simulated


@pytest.fixture(scope="session")
def simcom_broker(pytestconfig: pytest.Config) -> Iterator[Broker]:
    """The broker: what --simcom-broker says, else one started on this machine.

    A `pytest_simcom_mqtt.Broker` with `host`, `port` and `url`.
    """
    from pytest_simcom_mqtt.broker import running_broker

    with running_broker(Options.of(pytestconfig).broker, port_to_test(pytestconfig)) as broker:
        yield broker


@pytest.fixture
def simcom_host(simcom_broker: Broker) -> Iterator[HostClient]:
    """The other side: an ordinary MQTT client on `simcom_broker`, which publishes, subscribes and captures.

    A `pytest_simcom_mqtt.HostClient`.
    """
    from pytest_simcom_mqtt.host_client import HostClient

    with HostClient(simcom_broker.host, simcom_broker.port) as client:
        yield client


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close a module that was opened for the header and that no test came to use."""
    device = device_in_use(config)
    if device is not None:
        device.close()


def _clean(device: Device) -> SimcomMqtt:
    from simcom_mqtt import SimcomError

    try:
        return device.clean()
    except SimcomError as error:
        raise pytest.fail.Exception(
            f"the module on {device.port} cannot be made clean for this test: {error}. "
            "Switch it off and on again, or look at what the tests before this one left",
            pytrace=False,
        ) from None


def _unique() -> str:
    from uuid import uuid4

    # With "simcom-" before it, 23 characters: what every broker takes as a client id.
    return uuid4().hex[:16]
