"""A lost port is opened again when it returns; the state of the module is adopted or restored."""

from collections.abc import Iterator
from typing import Literal

import pytest

from host_client import HostClient
from recorded_events import LogRecords, RecordedEvents
from simcom_mqtt import Message, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)


@pytest.fixture(params=["pty", "tcp"])
def simulator(request: pytest.FixtureRequest) -> Iterator[SimulatedModem]:
    transport: Literal["pty", "tcp"] = request.param
    with SimulatedModem(transport=transport) as module:
        yield module


@pytest.mark.parametrize("keeps_power", [True, False], ids=["module keeps power", "module loses power"])
def test_reconnects_when_the_port_returns(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    broker_url: str,
    host: HostClient,
    base: str,
    keeps_power: bool,
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)

    with LogRecords() as log:
        simulator.unplug()
        log.wait_for("port is gone")
        log.wait_for("client 0 could not reconnect")
        if not keeps_power:
            simulator.reset()
        simulator.plug()
        events.wait_for("reconnected", 0)

    assert events.recorded == [*([] if keeps_power else [("restart",)]), ("reconnected", 0)]
    assert simulator.received.count("AT+CMQTTSTART") == 1
    assert client.is_connected()
    with client.capture() as inbox:
        client.publish(f"{base}/up", b"", 1)
        assert inbox.get() == Message(f"{base}/up", b"")
        host.publish(f"{base}/down", b"", 1)
        assert inbox.get() == Message(f"{base}/down", b"")
    assert modem.is_open


def test_reconnects_when_connection_was_lost_while_unplugged(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)

    simulator.unplug()
    simulator.drop_connection(0)
    simulator.plug()
    events.wait_for("reconnected", 0)

    with client.capture() as inbox:
        client.publish(f"{base}/up", b"", 1)
        assert inbox.get() == Message(f"{base}/up", b"")


def test_reconnects_after_each_of_many_unplugs(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)

    with LogRecords() as log:
        for _ in range(3):
            simulator.unplug()
            log.wait_for("port is gone")
            simulator.plug()
            events.wait_for("reconnected", 0)
            events.recorded.clear()

    client.publish("a/b", b"", 1)
    assert modem.stats.reconnects == 3


def test_publishes_while_unplugged_are_sent_in_order(
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
