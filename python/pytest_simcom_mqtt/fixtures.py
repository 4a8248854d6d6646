"""The fixtures. All names begin with `simcom`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_simcom_mqtt.callback_errors import raise_callback_errors
from pytest_simcom_mqtt.module_under_test import ModuleUnderTest, module_in_use, module_under_test
from pytest_simcom_mqtt.options import SIMULATOR, Options
from pytest_simcom_mqtt.port_assignment import port_to_test, require_port

if TYPE_CHECKING:
    from pytest_simcom_mqtt import Broker, HostClient
    from simcom_mqtt import MqttClient, SimcomMqtt
    from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture(scope="session")
def _simcom_module(pytestconfig: pytest.Config) -> Iterator[ModuleUnderTest]:
    module = module_under_test(pytestconfig, require_port(pytestconfig))
    from simcom_mqtt import SimcomError

    try:
        module.open()
    except (SimcomError, OSError, ValueError) as error:
        raise pytest.fail.Exception(f"the module cannot be used: {error}", pytrace=False) from None
    yield module
    module.close()
    raise_callback_errors(module)


@pytest.fixture(scope="session")
def simcom_modem(_simcom_module: ModuleUnderTest) -> SimcomMqtt:
    """The module, opened once: a `simcom_mqtt.SimcomMqtt` for fixtures that prepare it for a whole session.

    It is in the state in which the last test left it. Tests take `simcom`, which is clean.
    """
    return _simcom_module.open()


@pytest.fixture(scope="session")
def simcom_is_simulated(pytestconfig: pytest.Config) -> bool:
    """True if the module is simulated, for fixtures that prepare a rig accordingly."""
    return require_port(pytestconfig) == SIMULATOR


@pytest.fixture
def simcom(_simcom_module: ModuleUnderTest) -> SimcomMqtt:
    """A clean module: no service, no clients, no callbacks, whatever the last test left.

    A `simcom_mqtt.SimcomMqtt`, the same as `simcom_modem` unless the port was closed or lost meanwhile.
    Certificates stay. A simulated module has no faults, is plugged in and has its network.
    """
    return _clean(_simcom_module)


@pytest.fixture
def simcom_topic_prefix() -> str:
    """A topic prefix that no other test has, as in f"{simcom_topic_prefix}/state"."""
    return f"simcom-test/{_unique()}"


@pytest.fixture
def simcom_client(simcom: SimcomMqtt, simcom_broker: Broker) -> Iterator[MqttClient]:
    """A client of the module, connected to `simcom_broker` with a unique client id.

    A `simcom_mqtt.MqttClient`. Take `simcom_topic_prefix` for its topics.
    """
    with simcom.connect(simcom_broker.url, client_id=f"simcom-{_unique()}") as client:
        yield client


@pytest.fixture
def simcom_simulator(_simcom_module: ModuleUnderTest) -> SimulatedModem:
    """The simulated module, for faults; skips the test on a real module.

    A `simcom_mqtt.simulator.SimulatedModem`.
    """
    if _simcom_module.simulated is None:
        pytest.skip("needs a simulated module: run with --simcom-port=simulator")
    return _simcom_module.simulated


@pytest.fixture(scope="session")
def simcom_broker(pytestconfig: pytest.Config) -> Iterator[Broker]:
    """The broker of --simcom-broker, else a broker started on this machine.

    A `pytest_simcom_mqtt.Broker` with `host`, `port` and `url`.
    """
    from pytest_simcom_mqtt.broker_under_test import running_broker

    with running_broker(Options.of(pytestconfig).broker, port_to_test(pytestconfig)) as broker:
        yield broker


@pytest.fixture
def simcom_host(simcom_broker: Broker) -> Iterator[HostClient]:
    """An ordinary MQTT client on `simcom_broker`, which publishes, subscribes and captures.

    A `pytest_simcom_mqtt.HostClient`.
    """
    from pytest_simcom_mqtt.host_client import HostClient

    with HostClient(simcom_broker.host, simcom_broker.port) as client:
        yield client


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close a module that was opened for the header and that no test used."""
    module = module_in_use(config)
    if module is not None:
        module.close()


def _clean(module: ModuleUnderTest) -> SimcomMqtt:
    from simcom_mqtt import SimcomError

    try:
        return module.clean()
    except SimcomError as error:
        raise pytest.fail.Exception(
            f"the module on {module.port} cannot be cleaned for this test: {error}. "
            "Switch it off and on again, and check what the tests before this one do to it",
            pytrace=False,
        ) from None


def _unique() -> str:
    from uuid import uuid4

    # With "simcom-" before it, 23 characters: every broker accepts a client id of this length.
    return uuid4().hex[:16]
