"""A network that is lost takes the service with it: both come back, and the clients with them."""

import pytest

from happenings import Happenings, LogRecords
from host_client import HostClient
from simcom_mqtt import LossCause, Message, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)


def test_a_network_that_is_away_for_a_while(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    happenings = Happenings(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)

    with LogRecords() as log:
        simulator.lose_network()
        log.wait_for("not back yet.*AT\\+CMQTTSTART")
        log.wait_for("not back yet.*AT\\+CMQTTSTART")
    assert not client.is_connected()
    simulator.restore_network()
    happenings.wait_for("reconnected", 0)

    assert happenings.seen == [
        ("connection lost", 0, LossCause.NETWORK_CLOSED),
        ("network lost",),
        ("reconnected", 0),
    ]
    assert modem.is_started()
    with client.capture() as inbox:
        host.publish(f"{base}/back", b"", 1)
        assert inbox.get() == Message(f"{base}/back", b"")


@pytest.mark.parametrize("network_too", [False, True], ids=["connection", "network"])
def test_a_loss_that_a_damaged_message_has_eaten(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    broker_url: str,
    host: HostClient,
    base: str,
    network_too: bool,
) -> None:
    happenings = Happenings(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)

    simulator.inject(
        b"\r\n+CMQTTRXSTART: 0,1,300\r\n+CMQTTRXTOPIC: 0,1\r\na\r\n+CMQTTRXPAYLOAD: 0,300\r\n"
        + b"x" * 200
        + b"\r\n+CMQTTRXEND: 0\r\n"
    )
    simulator.lose_network() if network_too else simulator.drop_connection(0)
    simulator.restore_network()
    happenings.wait_for("reconnected", 0)

    with client.capture() as inbox:
        host.publish(f"{base}/back", b"", 1)
        assert inbox.get() == Message(f"{base}/back", b"")


def test_both_clients(modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str) -> None:
    happenings = Happenings(modem)
    clients = [modem.connect(broker_url, reconnect=FAST) for _ in range(2)]

    simulator.lose_network()
    happenings.wait_for("network lost")
    simulator.restore_network()
    happenings.wait_for_all(("reconnected", 0), ("reconnected", 1))

    for client in clients:
        client.publish("a/b", b"", 1)
    assert modem.stats.reconnects == 2


def test_the_client_that_nobody_keeps_stays_away(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    happenings = Happenings(modem)
    modem.connect(broker_url, reconnect=FAST)
    left = modem.connect(broker_url)

    simulator.lose_network()
    simulator.restore_network()
    happenings.wait_for("reconnected", 0)

    assert not left.is_connected()
    assert [client.index for client in modem.clients()] == [0]


def test_a_service_that_was_stopped_behind_the_drivers_back(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    """The URCs of the loss are damaged on the line, so nothing tells of it but the next refusal."""
    happenings = Happenings(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    simulator.reset()

    client.publish("a/b", b"", 1, timeout=8)

    happenings.wait_for("reconnected", 0)
