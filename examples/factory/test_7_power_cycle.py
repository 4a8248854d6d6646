"""Does it come back, with what was stored on it, after its power or its cable was away?"""

import threading
from collections.abc import Callable
from typing import Any

from pytest_simcom_mqtt import Broker, HostClient
from simcom_mqtt import Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

from .power import PowerSwitch
from .provisioning import provision
from .secure_broker import SecureBroker


def test_power_cycle(
    simcom: SimcomMqtt,
    simcom_broker: Broker,
    simcom_host: HostClient,
    simcom_topic_prefix: str,
    secure_broker: SecureBroker,
    power_switch: PowerSwitch,
    limits: dict[str, Any],
) -> None:
    """It is the same device, connected again, and has its certificates."""
    imei = simcom.info().imei
    certificate, _ = provision(simcom, "ca", secure_broker.authority)

    comes_back(power_switch.cycle, simcom, simcom_broker, simcom_host, simcom_topic_prefix, limits)

    assert simcom.info().imei == imei
    assert certificate in simcom.certificates()


def test_unplugged_cable(
    simcom: SimcomMqtt,
    simcom_simulator: SimulatedModem,
    simcom_broker: Broker,
    simcom_host: HostClient,
    simcom_topic_prefix: str,
    limits: dict[str, Any],
) -> None:
    """The host loses its port for a while. Only a simulated cable pulls itself out."""

    def pull_and_push() -> None:
        simcom_simulator.unplug()
        simcom_simulator.plug()

    comes_back(pull_and_push, simcom, simcom_broker, simcom_host, simcom_topic_prefix, limits)


def comes_back(
    disturb: Callable[[], None],
    simcom: SimcomMqtt,
    broker: Broker,
    host: HostClient,
    prefix: str,
    limits: dict[str, Any],
) -> None:
    """Whether a client that is to reconnect does so, and hears and is heard afterwards."""
    reconnected = threading.Event()
    simcom.on_reconnected = lambda _client: reconnected.set()
    patience = limits["power_cycle"]["recovery"]
    with simcom.connect(broker.url, reconnect=Reconnect(max_delay=5)) as client:
        client.subscribe(f"{prefix}/in", qos=1)
        host.subscribe(f"{prefix}/out", qos=1)
        disturb()
        assert reconnected.wait(patience), f"not connected again after {patience} s"

        with client.capture() as heard, host.capture(f"{prefix}/out") as said:
            host.publish(f"{prefix}/in", "are you there?", qos=1)
            assert heard.get(limits["echo"]["timeout"]).text() == "are you there?"
            client.publish(f"{prefix}/out", "here again", qos=1)
            assert said.get(limits["echo"]["timeout"]).text() == "here again"
