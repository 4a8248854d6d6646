"""A lost network stops the service: reconnect starts the service and restores the clients."""

import pytest

from host_client import HostClient
from recorded_events import LogRecords, RecordedEvents
from simcom_mqtt import LossCause, Message, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)


def test_reconnects_when_the_network_returns(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)

    with LogRecords() as log:
        simulator.lose_network()
        log.wait_for("could not reconnect.*AT\\+CMQTTSTART")
        log.wait_for("could not reconnect.*AT\\+CMQTTSTART")
    assert not client.is_connected()
    simulator.restore_network()
    events.wait_for("reconnected", 0)

    assert events.recorded == [
        ("connection lost", 0, LossCause.NETWORK_CLOSED),
        ("network lost",),
        ("reconnected", 0),
    ]
    assert modem.is_started()
    with client.capture() as inbox:
        host.publish(f"{base}/back", b"", 1)
        assert inbox.get() == Message(f"{base}/back", b"")


@pytest.mark.parametrize("network_too", [False, True], ids=["connection", "network"])
def test_reconnects_when_the_loss_is_inside_a_damaged_message(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    broker_url: str,
    host: HostClient,
    base: str,
    network_too: bool,
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)

    simulator.inject(
        b"\r\n+CMQTTRXSTART: 0,1,300\r\n+CMQTTRXTOPIC: 0,1\r\na\r\n+CMQTTRXPAYLOAD: 0,300\r\n"
        + b"x" * 200
        + b"\r\n+CMQTTRXEND: 0\r\n"
    )
    simulator.lose_network() if network_too else simulator.drop_connection(0)
    simulator.restore_network()
    events.wait_for("reconnected", 0)

    with client.capture() as inbox:
        host.publish(f"{base}/back", b"", 1)
        assert inbox.get() == Message(f"{base}/back", b"")


def test_both_clients_reconnect_after_network_loss(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    clients = [modem.connect(broker_url, reconnect=FAST) for _ in range(2)]

    simulator.lose_network()
    events.wait_for("network lost")
    simulator.restore_network()
    events.wait_for_all(("reconnected", 0), ("reconnected", 1))

    for client in clients:
        client.publish("a/b", b"", 1)
    assert modem.stats.reconnects == 2


def test_client_without_reconnect_stays_disconnected(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    modem.connect(broker_url, reconnect=FAST)
    other = modem.connect(broker_url)

    simulator.lose_network()
    simulator.restore_network()
    events.wait_for("reconnected", 0)

    assert not other.is_connected()
    assert [client.index for client in modem.clients()] == [0]


def test_reconnects_when_the_service_stopped_unnoticed(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    """The URCs of the loss are missing: only the next refusal shows it."""
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    simulator.reset()

    client.publish("a/b", b"", 1, timeout=8)

    events.wait_for("reconnected", 0)
