"""A TLS connection is restored with TLS and the same verification, or not at all."""

import pytest

from mosquitto_broker import MosquittoBroker
from recorded_events import LogRecords, RecordedEvents
from simcom_mqtt import MqttClient, Reconnect, SimcomMqtt, Tls
from simcom_mqtt.simulator import SimulatedModem

FAST = Reconnect(min_delay=0.05, max_delay=0.2)


@pytest.fixture
def client(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> MqttClient:
    tls = Tls(ca=mosquitto.authority.cert_pem.bytes(), context=7)
    return modem.connect(f"mqtts://localhost:{mosquitto.tls}", tls=tls, reconnect=FAST)


def connects_with_their_context(simulator: SimulatedModem) -> list[bool]:
    """Returns for each CONNECT if its SSL context was set right before: the default one verifies nothing."""
    lines = simulator.received
    return [
        "AT+CMQTTSSLCFG=0,7" in lines[max(0, at - 4) : at]
        for at, line in enumerate(lines)
        if line.startswith("AT+CMQTTCONNECT=")
    ]


def test_tls_is_restored_after_a_loss(
    modem: SimcomMqtt, simulator: SimulatedModem, mosquitto: MosquittoBroker, client: MqttClient
) -> None:
    events = RecordedEvents(modem)
    since = mosquitto.log_length

    simulator.drop_connection(0)
    events.wait_for("reconnected", 0)

    mosquitto.wait_for_log(f"port {mosquitto.tls}", since=since)
    client.publish("a/b", b"", 1)
    assert connects_with_their_context(simulator) == [True, True]


def test_tls_is_restored_after_a_reboot(
    modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient
) -> None:
    events = RecordedEvents(modem)

    simulator.reboot()
    events.wait_for("reconnected", 0)

    client.publish("a/b", b"", 1)
    assert modem.ssl_context(7)["authmode"] == 1
    assert connects_with_their_context(simulator) == [True, True]
    assert sum(line.startswith("AT+CMQTTACCQ=0,") and line.endswith(",1") for line in simulator.received) == 2
    assert sum(line.startswith("AT+CCERTDOWN=") for line in simulator.received) == 1


def test_missing_certificates_are_uploaded_again(
    modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient
) -> None:
    events = RecordedEvents(modem)
    simulator.reset()

    client.publish("a/b", b"", 1, timeout=8)

    assert events.names(simulator) == ["restart", "reconnected"]
    assert len(modem.certificates()) == 1


def test_each_attempt_sets_the_ssl_context(
    modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient
) -> None:
    events = RecordedEvents(modem)
    for _ in range(2):
        simulator.fail_next("CMQTTCONNECT", 32)

    with LogRecords() as log:
        simulator.drop_connection(0)
        log.wait_for("could not reconnect.*32")
        log.wait_for("could not reconnect.*32")
        events.wait_for("reconnected", 0)

    assert connects_with_their_context(simulator) == [True] * 4


def test_loss_of_the_other_client_does_not_end_tls(
    modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    modem.connect(broker_url, reconnect=FAST)

    simulator.drop_connection(1)
    events.wait_for("reconnected", 1)

    client.publish("a/b", b"", 1)
    assert events.names(simulator) == ["connection lost", "reconnected"]
    assert connects_with_their_context(simulator)[:1] == [True]


def test_connection_found_after_port_loss_is_made_again(
    modem: SimcomMqtt, simulator: SimulatedModem, client: MqttClient
) -> None:
    events = RecordedEvents(modem)

    simulator.unplug()
    simulator.plug()
    events.wait_for("reconnected", 0)

    assert connects_with_their_context(simulator) == [True, True]
    client.publish("a/b", b"", 1)
