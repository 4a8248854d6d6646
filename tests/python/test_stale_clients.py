"""Clients that an earlier process left on the module: connecting again works."""

from collections.abc import Iterator

import pytest

from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from scripted_module import OK, ScriptedModule
from simcom_mqtt import MqttError, SimcomMqtt, Tls
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture(params=["sim767x", "a76xx", "sim7600"])
def module_with_stale_clients(request: pytest.FixtureRequest, broker_url: str) -> Iterator[SimulatedModem]:
    """A module with both clients connected and subscribed by a driver that has closed the port."""
    with SimulatedModem(profile=request.param) as module:
        modem = SimcomMqtt(module.port)
        for _ in range(2):
            modem.connect(broker_url).subscribe("stale/topic")
        modem.close()
        yield module


def test_connect_replaces_stale_clients(
    module_with_stale_clients: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    with SimcomMqtt(module_with_stale_clients.port) as modem:
        clients = [modem.connect(broker_url) for _ in range(2)]
        assert [client.index for client in clients] == [0, 1]
        with clients[1].capture(f"{base}/#") as inbox:
            clients[1].subscribe(f"{base}/#")
            clients[0].publish(f"{base}/again", b"x", 1)
            assert inbox.get().payload == b"x"
        assert modem.subscribed_topics() == [f"{base}/#".encode()]


def test_commands_replace_stale_clients(module_with_stale_clients: SimulatedModem, broker_url: str) -> None:
    with SimcomMqtt(module_with_stale_clients.port) as modem:
        modem.start()
        for index in (0, 1):
            client = modem.acquire(f"again-{index}", index)
            client.configure(check_utf8=True)
            client.connect(broker_url)
            client.publish("stale/topic", b"x", 1)
            client.disconnect()
            client.release()
        modem.stop()
        assert not modem.is_started()


def test_stop_cleans_up_stale_clients(module_with_stale_clients: SimulatedModem) -> None:
    with SimcomMqtt(module_with_stale_clients.port) as modem:
        modem.stop()
        assert not modem.is_started()


def test_stale_clients_can_be_adopted(
    module_with_stale_clients: SimulatedModem, host: HostClient, base: str
) -> None:
    with SimcomMqtt(module_with_stale_clients.port) as modem:
        found = modem.clients()
        assert [client.index for client in found] == [0, 1]
        assert all(client.is_connected() for client in found)
        with found[0].capture() as inbox:
            found[0].subscribe(f"{base}/found")
            found[1].publish(f"{base}/found", b"x", 1)
            assert inbox.get().topic == f"{base}/found"


def test_clients_of_this_driver_are_not_stale(modem: SimcomMqtt, broker_url: str) -> None:
    modem.start()
    with pytest.raises(MqttError):
        modem.start()
    modem.acquire("mine", 1)
    with pytest.raises(MqttError):
        modem.acquire("mine", 1)
    with pytest.raises(MqttError):
        modem.stop()
    assert [client.client_id for client in modem.clients()] == ["mine"]


def test_start_works_when_the_service_runs_already() -> None:
    """A reconnect can start the service right after the query that found it stopped."""
    answers = {
        "AT+CMQTTSTART": OK + b"\r\n+CMQTTSTART: 0\r\n",
        "AT+CMQTTSTOP": OK + b"\r\n+CMQTTSTOP: 0\r\n",
        "AT+CMQTTREL?": b"\r\nERROR\r\n",
    }
    with ScriptedModule(answers) as module, SimcomMqtt(module.port) as modem:
        modem.start()
        assert not modem.is_started()
        module.answers |= {"AT+CMQTTSTART": b"\r\nERROR\r\n", "AT+CMQTTREL?": OK}

        modem.start()

        assert modem.is_started()


def test_adopted_client_keeps_its_ssl_context(simulator: SimulatedModem, mosquitto: MosquittoBroker) -> None:
    url, authority = f"mqtts://127.0.0.1:{mosquitto.tls}", mosquitto.authority.cert_pem.bytes()
    earlier = SimcomMqtt(simulator.port)
    earlier.connect(url, tls=Tls(ca=authority, context=5))
    earlier.close()

    with SimcomMqtt(simulator.port) as modem:
        (client,) = modem.clients()
        client.disconnect()
        client.connect(url)

    assert simulator.received[simulator.received.index("AT+CMQTTDISC=0,60") + 1 :][0] == "AT+CMQTTSSLCFG=0,5"
