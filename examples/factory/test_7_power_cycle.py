"""Power cycle: the module reconnects after a loss of power or of its cable, and keeps its files."""

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
    """The same device reconnects, and has its certificates."""
    imei = simcom.info().imei
    certificate, _ = provision(simcom, "ca", secure_broker.authority)

    check_reconnect(power_switch.cycle, simcom, simcom_broker, simcom_host, simcom_topic_prefix, limits)

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
    """The host loses its port for a moment. For simulated modules only: a test cannot unplug a real cable."""

    def pull_and_push() -> None:
        simcom_simulator.unplug()
        simcom_simulator.plug()

    check_reconnect(pull_and_push, simcom, simcom_broker, simcom_host, simcom_topic_prefix, limits)


def check_reconnect(
    disturb: Callable[[], None],
    simcom: SimcomMqtt,
    broker: Broker,
    host: HostClient,
    prefix: str,
    limits: dict[str, Any],
) -> None:
    """Disturb a connected client; check that it reconnects, receives and publishes afterwards."""
    reconnected = threading.Event()
    simcom.on_reconnected = lambda _client: reconnected.set()
    recovery_time = limits["power_cycle"]["recovery"]
    with simcom.connect(broker.url, reconnect=Reconnect(max_delay=5)) as client:
        client.subscribe(f"{prefix}/in", qos=1)
        host.subscribe(f"{prefix}/out", qos=1)
        disturb()
        assert reconnected.wait(recovery_time), f"not connected again after {recovery_time} s"

        with client.capture() as received, host.capture(f"{prefix}/out") as published:
            host.publish(f"{prefix}/in", "are you there?", qos=1)
            assert received.get(limits["echo"]["timeout"]).text() == "are you there?"
            client.publish(f"{prefix}/out", "here again", qos=1)
            assert published.get(limits["echo"]["timeout"]).text() == "here again"
