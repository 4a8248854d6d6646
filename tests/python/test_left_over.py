"""What an earlier process left on the module: a script that is run again does not notice."""

from collections.abc import Iterator

import pytest

from host_client import HostClient
from mosquitto_broker import MosquittoBroker
from scripted_module import OK, ScriptedModule
from simcom_mqtt import MqttError, SimcomMqtt, Tls
from simcom_mqtt.simulator import SimulatedModem


@pytest.fixture(params=["sim767x", "a76xx", "sim7600"])
def left(request: pytest.FixtureRequest, broker_url: str) -> Iterator[SimulatedModem]:
    """A module whose last user closed the port with both clients connected and subscribed."""
    with SimulatedModem(profile=request.param) as module:
        modem = SimcomMqtt(module.port)
        for _ in range(2):
            modem.connect(broker_url).subscribe("left/over")
        modem.close()
        yield module


def test_connecting_again(left: SimulatedModem, broker_url: str, host: HostClient, base: str) -> None:
    with SimcomMqtt(left.port) as modem:
        clients = [modem.connect(broker_url) for _ in range(2)]
        assert [client.index for client in clients] == [0, 1]
        with clients[1].capture(f"{base}/#") as inbox:
            clients[1].subscribe(f"{base}/#")
            clients[0].publish(f"{base}/again", b"x", 1)
            assert inbox.get().payload == b"x"
        assert modem.subscribed_topics() == [f"{base}/#".encode()]


def test_command_by_command_again(left: SimulatedModem, broker_url: str) -> None:
    with SimcomMqtt(left.port) as modem:
        modem.start()
        for index in (0, 1):
            client = modem.acquire(f"again-{index}", index)
            client.configure(version="3.1.1")
            client.connect(broker_url)
            client.publish("left/over", b"x", 1)
            client.disconnect()
            client.release()
        modem.stop()
        assert not modem.is_started()


def test_stopping_what_was_left(left: SimulatedModem) -> None:
    with SimcomMqtt(left.port) as modem:
        modem.stop()
        assert not modem.is_started()


def test_what_is_left_can_be_used(left: SimulatedModem, host: HostClient, base: str) -> None:
    with SimcomMqtt(left.port) as modem:
        found = modem.clients()
        assert [client.index for client in found] == [0, 1]
        assert all(client.is_connected() for client in found)
        with found[0].capture() as inbox:
            found[0].subscribe(f"{base}/found")
            found[1].publish(f"{base}/found", b"x", 1)
            assert inbox.get().topic == f"{base}/found"


def test_what_is_held_by_this_object_is_no_left_over(modem: SimcomMqtt, broker_url: str) -> None:
    modem.start()
    with pytest.raises(MqttError):
        modem.start()
    modem.acquire("mine", 1)
    with pytest.raises(MqttError):
        modem.acquire("mine", 1)
    with pytest.raises(MqttError):
        modem.stop()
    assert [client.client_id for client in modem.clients()] == ["mine"]


def test_a_service_that_was_believed_to_be_stopped() -> None:
    """As when what brings a client back starts it right behind the question whether it runs."""
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


def test_the_ssl_context_of_a_client_that_was_found(
    simulator: SimulatedModem, mosquitto: MosquittoBroker
) -> None:
    url, authority = f"mqtts://127.0.0.1:{mosquitto.tls}", mosquitto.authority.cert_pem.bytes()
    former = SimcomMqtt(simulator.port)
    former.connect(url, tls=Tls(ca=authority, context=5))
    former.close()

    with SimcomMqtt(simulator.port) as modem:
        (client,) = modem.clients()
        client.disconnect()
        client.connect(url)

    assert simulator.received[simulator.received.index("AT+CMQTTDISC=0,60") + 1 :][0] == "AT+CMQTTSSLCFG=0,5"
