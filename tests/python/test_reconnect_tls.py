"""A connection with TLS comes back with TLS, verified as before, or not at all."""

import pytest

from happenings import Happenings, LogRecords
from mosquitto_broker import MosquittoBroker
from simcom_mqtt import MqttClient, Reconnect, SimcomMqtt, Tls
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)


@pytest.fixture
def client(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> MqttClient:
    tls = Tls(ca=mosquitto.authority.cert_pem.bytes(), context=7)
    return modem.connect(f"mqtts://localhost:{mosquitto.tls}", tls=tls, reconnect=FAST)


def connects_with_their_context(simulator: SimulatedModem) -> list[bool]:
    """For each CONNECT whether its SSL context was set right before it: the default one verifies nothing."""
    lines = simulator.received
    return [
        "AT+CMQTTSSLCFG=0,7" in lines[max(0, at - 4) : at]
        for at, line in enumerate(lines)
        if line.startswith("AT+CMQTTCONNECT=")
    ]


def test_after_a_loss(
    modem: SimcomMqtt, simulator: SimulatedModem, mosquitto: MosquittoBroker, client: MqttClient
) -> None:
    happenings = Happenings(modem)
    since = mosquitto.log_length

    simulator.drop_connection(0)
    happenings.wait_for("reconnected", 0)

    mosquitto.wait_for_log(f"port {mosquitto.tls}", since=since)
    client.publish("a/b", b"", 1)
    assert connects_with_their_context(simulator) == [True, True]


def test_after_a_reboot(modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient) -> None:
    happenings = Happenings(modem)

    simulator.reboot()
    happenings.wait_for("reconnected", 0)

    client.publish("a/b", b"", 1)
    assert modem.ssl_context(7)["authmode"] == 1
    assert connects_with_their_context(simulator) == [True, True]
    assert sum(line.startswith("AT+CMQTTACCQ=0,") and line.endswith(",1") for line in simulator.received) == 2
    assert sum(line.startswith("AT+CCERTDOWN=") for line in simulator.received) == 1


def test_files_that_are_gone_are_uploaded_again(
    modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient
) -> None:
    happenings = Happenings(modem)
    simulator.reset()

    client.publish("a/b", b"", 1, timeout=8)

    assert happenings.names(simulator) == ["restart", "reconnected"]
    assert len(modem.certificates()) == 1


def test_each_attempt_sets_its_context(
    modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient
) -> None:
    happenings = Happenings(modem)
    for _ in range(2):
        simulator.fail_next("CMQTTCONNECT", 32)

    with LogRecords() as log:
        simulator.drop_connection(0)
        log.wait_for("not back yet.*32")
        log.wait_for("not back yet.*32")
        happenings.wait_for("reconnected", 0)

    assert connects_with_their_context(simulator) == [True] * 4


def test_the_other_client_s_trouble_does_not_end_it(
    modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient, broker_url: str
) -> None:
    happenings = Happenings(modem)
    modem.connect(broker_url, reconnect=FAST)

    simulator.drop_connection(1)
    happenings.wait_for("reconnected", 1)

    client.publish("a/b", b"", 1)
    assert happenings.names(simulator) == ["connection lost", "reconnected"]
    assert connects_with_their_context(simulator)[:1] == [True]


def test_a_connection_found_after_the_port_was_away_is_made_anew(
    modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient
) -> None:
    happenings = Happenings(modem)

    simulator.unplug()
    simulator.plug()
    happenings.wait_for("reconnected", 0)

    assert connects_with_their_context(simulator) == [True, True]
    client.publish("a/b", b"", 1)
