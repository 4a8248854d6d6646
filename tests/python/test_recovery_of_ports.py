"""A port that went away is opened again when it returns; the module is found as it was, or rebuilt."""

from collections.abc import Iterator
from typing import Literal

import pytest

from happenings import Happenings, LogRecords
from host_client import HostClient
from simcom_mqtt import Message, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)


@pytest.fixture(params=["pty", "tcp"])
def simulator(request: pytest.FixtureRequest) -> Iterator[SimulatedModem]:
    transport: Literal["pty", "tcp"] = request.param
    with SimulatedModem(transport=transport) as module:
        yield module


@pytest.mark.parametrize("goes_on", [True, False], ids=["the module goes on", "its power was cut too"])
def test_unplugged_and_plugged_in(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    broker_url: str,
    host: HostClient,
    base: str,
    goes_on: bool,
) -> None:
    happenings = Happenings(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)

    with LogRecords() as log:
        simulator.unplug()
        log.wait_for("port is gone")
        log.wait_for("client 0 is not back yet")
        if not goes_on:
            simulator.reset()
        simulator.plug()
        happenings.wait_for("reconnected", 0)

    assert happenings.seen == [*([] if goes_on else [("restart",)]), ("reconnected", 0)]
    assert simulator.received.count("AT+CMQTTSTART") == 1
    assert client.is_connected()
    with client.capture() as inbox:
        client.publish(f"{base}/up", b"", 1)
        assert inbox.get() == Message(f"{base}/up", b"")
        host.publish(f"{base}/down", b"", 1)
        assert inbox.get() == Message(f"{base}/down", b"")
    assert modem.is_open


def test_a_connection_that_was_lost_meanwhile(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    happenings = Happenings(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)

    simulator.unplug()
    simulator.drop_connection(0)
    simulator.plug()
    happenings.wait_for("reconnected", 0)

    with client.capture() as inbox:
        client.publish(f"{base}/up", b"", 1)
        assert inbox.get() == Message(f"{base}/up", b"")


def test_unplugged_again_and_again(modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str) -> None:
    happenings = Happenings(modem)
    client = modem.connect(broker_url, reconnect=FAST)

    with LogRecords() as log:
        for _ in range(3):
            simulator.unplug()
            log.wait_for("port is gone")
            simulator.plug()
            happenings.wait_for("reconnected", 0)
            happenings.seen.clear()

    client.publish("a/b", b"", 1)
    assert modem.stats.reconnects == 3


def test_what_was_to_be_sent_meanwhile(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    host.subscribe(f"{base}/#")
    client = modem.connect(broker_url, reconnect=FAST)
    with LogRecords() as log:
        simulator.unplug()
        log.wait_for("port is gone")

    futures = [client.publish_nowait(f"{base}/up", b"%d" % number, 1) for number in range(20)]
    simulator.plug()

    for future in futures:
        future.result(30)
    assert [host.get().payload for _ in futures] == [b"%d" % number for number in range(20)]
    assert host.is_empty()
