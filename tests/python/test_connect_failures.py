"""What the broker and the network do wrong becomes a result code, and the client can be used afterwards."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from mosquitto_broker import USER, MosquittoBroker, free_ports
from scripted_broker import CONNECT, SUBSCRIBE, ScriptedBroker
from simcom_mqtt import ConnectError, MqttError, ResultCode, SimcomMqtt, Tls


@pytest.fixture
def scripted() -> Iterator[ScriptedBroker]:
    with ScriptedBroker() as broker:
        yield broker


@pytest.mark.parametrize(
    ("connack", "code"),
    [
        (1, ResultCode.REFUSED_PROTOCOL_VERSION),
        (2, ResultCode.REFUSED_IDENTIFIER_REJECTED),
        (3, ResultCode.REFUSED_SERVER_UNAVAILABLE),
        (4, ResultCode.REFUSED_BAD_USER_NAME_OR_PASSWORD),
        (5, ResultCode.REFUSED_NOT_AUTHORIZED),
    ],
)
def test_each_refusal_of_a_broker(
    modem: SimcomMqtt, scripted: ScriptedBroker, connack: int, code: ResultCode
) -> None:
    modem.start()
    client = modem.acquire("refused")
    scripted.connack = connack

    with pytest.raises(ConnectError) as refused:
        client.connect(scripted.url)

    assert refused.value.code is code
    assert refused.value.client_index == 0
    assert code.meaning in str(refused.value)
    assert refused.value.command.startswith("AT+CMQTTCONNECT=0,")
    assert not client.is_connected()

    scripted.connack = 0
    client.connect(scripted.url)
    assert client.is_connected()


def test_a_wrong_password(modem: SimcomMqtt, mosquitto: MosquittoBroker, broker_url: str) -> None:
    with pytest.raises(ConnectError) as refused:
        modem.connect(f"mqtt://127.0.0.1:{mosquitto.password}", username=USER, password="swordfish")

    assert refused.value.code is ResultCode.REFUSED_NOT_AUTHORIZED
    assert "swordfish" not in f"{refused.value} {refused.value.command} {refused.value.response}"
    assert modem.connect(broker_url).is_connected()


def test_nobody_listens(modem: SimcomMqtt, broker_url: str) -> None:
    (port,) = free_ports(1)

    with pytest.raises(ConnectError) as refused:
        modem.connect(f"mqtt://127.0.0.1:{port}")

    assert refused.value.code is ResultCode.SOCK_CONNECT_FAIL
    assert modem.connect(broker_url).is_connected()


def test_an_unknown_host(modem: SimcomMqtt, broker_url: str) -> None:
    with pytest.raises(ConnectError) as unknown:
        modem.connect("mqtt://no-such-host.invalid")

    assert unknown.value.code is ResultCode.DNS_ERROR
    assert modem.connect(broker_url).is_connected()


def test_the_broker_hangs_up_during_connect(modem: SimcomMqtt, scripted: ScriptedBroker) -> None:
    scripted.closes_on = CONNECT

    with pytest.raises(ConnectError) as closed:
        modem.connect(scripted.url)

    assert closed.value.code is ResultCode.SOCKET_CLOSED_BY_SERVER
    scripted.closes_on = None
    assert modem.connect(scripted.url).is_connected()


def test_a_wrong_authority(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    stranger = trustme.CA().cert_pem.bytes()

    with pytest.raises(ConnectError) as failed:
        modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=Tls(ca=stranger))

    assert failed.value.code is ResultCode.HANDSHAKE_FAIL
    right = Tls(ca=mosquitto.authority.cert_pem.bytes())
    assert modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=right).is_connected()


def test_a_failed_handshake_does_not_loosen_the_next_one(
    modem: SimcomMqtt, mosquitto: MosquittoBroker
) -> None:
    # The module forgets the SSL context with the failed connect, and its default one verifies nobody.
    url = f"mqtts://127.0.0.1:{mosquitto.tls}"
    modem.upload_certificate("stranger.pem", trustme.CA().cert_pem.bytes())
    modem.configure_ssl(5, authmode=1, cacert="stranger.pem")
    modem.start()
    client = modem.acquire("strict", tls=True)
    client.use_ssl_context(5)

    for _ in range(2):
        with pytest.raises(ConnectError) as failed:
            client.connect(url)
        assert failed.value.code is ResultCode.HANDSHAKE_FAIL

    modem.upload_certificate("right.pem", mosquitto.authority.cert_pem.bytes())
    modem.configure_ssl(5, cacert="right.pem")
    client.connect(url)
    client.disconnect()
    client.connect(url)
    assert client.query().ssl_context == 5


def test_a_missing_client_certificate(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    with pytest.raises(ConnectError):
        modem.connect(
            f"mqtts://127.0.0.1:{mosquitto.mutual_tls}", tls=Tls(ca=mosquitto.authority.cert_pem.bytes())
        )


def test_no_certificate_set(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    modem.configure_ssl(0, authmode=1)
    modem.start()
    client = modem.acquire("bare", tls=True)
    client.use_ssl_context(0)

    with pytest.raises(ConnectError) as failed:
        client.connect(f"mqtts://127.0.0.1:{mosquitto.tls}")

    assert failed.value.code is ResultCode.CERTIFICATE_NOT_SET


def test_a_plain_client_at_a_tls_port(modem: SimcomMqtt, mosquitto: MosquittoBroker, broker_url: str) -> None:
    with pytest.raises(ConnectError):
        modem.connect(f"mqtt://127.0.0.1:{mosquitto.tls}")

    assert modem.connect(broker_url).is_connected()


def test_a_connect_that_failed_leaves_nothing_behind(modem: SimcomMqtt) -> None:
    (port,) = free_ports(1)

    with pytest.raises(ConnectError):
        modem.connect(f"mqtt://127.0.0.1:{port}")

    assert modem.clients() == []


def test_a_refused_subscription(modem: SimcomMqtt, scripted: ScriptedBroker) -> None:
    scripted.suback = 0x80
    client = modem.connect(scripted.url)

    with pytest.raises(MqttError) as refused:
        client.subscribe("forbidden/topic")

    assert refused.value.code is ResultCode.FAILED
    assert scripted.wait_for(SUBSCRIBE).filter == b"forbidden/topic"
    scripted.suback = None
    client.subscribe("granted/topic")


def test_commands_without_a_connection(modem: SimcomMqtt) -> None:
    modem.start()
    client = modem.acquire("alone")

    operations: list[Callable[[], None]] = [
        client.disconnect,
        lambda: client.subscribe("a/b"),
        lambda: client.unsubscribe("a/b"),
    ]
    for operation in operations:
        with pytest.raises(MqttError) as failed:
            operation()
        assert failed.value.code is ResultCode.NO_CONNECTION


def test_commands_without_the_service(modem: SimcomMqtt) -> None:
    assert not modem.is_started()
    for operation in (modem.stop, lambda: modem.acquire("too early")):
        with pytest.raises(MqttError) as failed:
            operation()
        assert failed.value.code is None
        assert failed.value.response == "ERROR"


def test_the_service_is_started_twice(modem: SimcomMqtt) -> None:
    modem.start()

    with pytest.raises(MqttError, match="CMQTTSTART"):
        modem.start()
    assert modem.is_started()


def test_the_service_is_not_stopped_under_a_client(modem: SimcomMqtt) -> None:
    modem.start()
    client = modem.acquire("holder")

    with pytest.raises(MqttError) as refused:
        modem.stop()

    assert refused.value.code is ResultCode.CLIENT_IS_USED
    assert refused.value.client_index is None
    client.release()
    modem.stop()


def test_a_certificate_file_that_the_module_does_not_have(
    modem: SimcomMqtt, mosquitto: MosquittoBroker
) -> None:
    with pytest.raises(ValueError, match="Path"):
        modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=Tls(ca="missing.pem"))


def test_a_certificate_file_that_this_host_does_not_have(
    modem: SimcomMqtt, mosquitto: MosquittoBroker, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.pem"):
        modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=Tls(ca=tmp_path / "missing.pem"))
