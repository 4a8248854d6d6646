"""Faults of broker and network become result codes, and the client stays usable."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from mosquitto_broker import USER, MosquittoBroker, free_ports
from scripted_broker import CONNECT, SUBSCRIBE, ScriptedBroker
from simcom_mqtt import ConnectError, MqttError, ResultCode, SimcomMqtt, Tls


@pytest.fixture
def broker() -> Iterator[ScriptedBroker]:
    with ScriptedBroker() as running:
        yield running


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
def test_connack_refusal_becomes_its_result_code(
    modem: SimcomMqtt, broker: ScriptedBroker, connack: int, code: ResultCode
) -> None:
    modem.start()
    client = modem.acquire("refused")
    broker.connack = connack

    with pytest.raises(ConnectError) as refused:
        client.connect(broker.url)

    assert refused.value.code is code
    assert refused.value.client_index == 0
    assert code.meaning in str(refused.value)
    assert refused.value.command.startswith("AT+CMQTTCONNECT=0,")
    assert not client.is_connected()

    broker.connack = 0
    client.connect(broker.url)
    assert client.is_connected()


def test_wrong_password_is_refused_and_not_shown(
    modem: SimcomMqtt, mosquitto: MosquittoBroker, broker_url: str
) -> None:
    with pytest.raises(ConnectError) as refused:
        modem.connect(f"mqtt://127.0.0.1:{mosquitto.password}", username=USER, password="swordfish")

    assert refused.value.code is ResultCode.REFUSED_NOT_AUTHORIZED
    assert "swordfish" not in f"{refused.value} {refused.value.command} {refused.value.response}"
    assert modem.connect(broker_url).is_connected()


def test_connect_fails_when_no_broker_listens(modem: SimcomMqtt, broker_url: str) -> None:
    (port,) = free_ports(1)

    with pytest.raises(ConnectError) as refused:
        modem.connect(f"mqtt://127.0.0.1:{port}")

    assert refused.value.code is ResultCode.SOCK_CONNECT_FAIL
    assert modem.connect(broker_url).is_connected()


def test_unknown_host_is_a_dns_error(modem: SimcomMqtt, broker_url: str) -> None:
    with pytest.raises(ConnectError) as unknown:
        modem.connect("mqtt://no-such-host.invalid")

    assert unknown.value.code is ResultCode.DNS_ERROR
    assert modem.connect(broker_url).is_connected()


def test_connect_fails_when_broker_closes_during_connect(modem: SimcomMqtt, broker: ScriptedBroker) -> None:
    broker.closes_on = CONNECT

    with pytest.raises(ConnectError) as closed:
        modem.connect(broker.url)

    assert closed.value.code is ResultCode.SOCKET_CLOSED_BY_SERVER
    broker.closes_on = None
    assert modem.connect(broker.url).is_connected()


def test_tls_connect_fails_with_a_wrong_authority(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    other_authority = trustme.CA().cert_pem.bytes()

    with pytest.raises(ConnectError) as failed:
        modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=Tls(ca=other_authority))

    assert failed.value.code is ResultCode.HANDSHAKE_FAIL
    right = Tls(ca=mosquitto.authority.cert_pem.bytes())
    assert modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=right).is_connected()


def test_ssl_context_is_set_again_after_a_failed_handshake(
    modem: SimcomMqtt, mosquitto: MosquittoBroker
) -> None:
    # The module drops the SSL context when a connect fails, and its default context verifies nothing.
    url = f"mqtts://127.0.0.1:{mosquitto.tls}"
    modem.upload_certificate("other_authority.pem", trustme.CA().cert_pem.bytes())
    modem.configure_ssl(5, authmode=1, cacert="other_authority.pem")
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


def test_mutual_tls_connect_fails_without_client_certificate(
    modem: SimcomMqtt, mosquitto: MosquittoBroker
) -> None:
    with pytest.raises(ConnectError):
        modem.connect(
            f"mqtts://127.0.0.1:{mosquitto.mutual_tls}", tls=Tls(ca=mosquitto.authority.cert_pem.bytes())
        )


def test_connect_fails_when_context_has_no_certificate(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    modem.configure_ssl(0, authmode=1)
    modem.start()
    client = modem.acquire("bare", tls=True)
    client.use_ssl_context(0)

    with pytest.raises(ConnectError) as failed:
        client.connect(f"mqtts://127.0.0.1:{mosquitto.tls}")

    assert failed.value.code is ResultCode.CERTIFICATE_NOT_SET


def test_plain_connect_to_a_tls_port_fails(
    modem: SimcomMqtt, mosquitto: MosquittoBroker, broker_url: str
) -> None:
    with pytest.raises(ConnectError):
        modem.connect(f"mqtt://127.0.0.1:{mosquitto.tls}")

    assert modem.connect(broker_url).is_connected()


def test_failed_connect_releases_its_client(modem: SimcomMqtt) -> None:
    (port,) = free_ports(1)

    with pytest.raises(ConnectError):
        modem.connect(f"mqtt://127.0.0.1:{port}")

    assert modem.clients() == []


def test_refused_subscription_raises_mqtt_error(modem: SimcomMqtt, broker: ScriptedBroker) -> None:
    broker.suback = 0x80
    client = modem.connect(broker.url)

    with pytest.raises(MqttError) as refused:
        client.subscribe("forbidden/topic")

    assert refused.value.code is ResultCode.FAILED
    assert broker.wait_for(SUBSCRIBE).filter == b"forbidden/topic"
    broker.suback = None
    client.subscribe("granted/topic")


def test_commands_without_connection_raise_no_connection(modem: SimcomMqtt) -> None:
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


def test_commands_without_service_raise_bare_error(modem: SimcomMqtt) -> None:
    assert not modem.is_started()
    for operation in (modem.stop, lambda: modem.acquire("too early")):
        with pytest.raises(MqttError) as failed:
            operation()
        assert failed.value.code is None
        assert failed.value.response == "ERROR"


def test_second_start_of_the_service_is_refused(modem: SimcomMqtt) -> None:
    modem.start()

    with pytest.raises(MqttError, match="CMQTTSTART"):
        modem.start()
    assert modem.is_started()


def test_stop_is_refused_while_a_client_is_acquired(modem: SimcomMqtt) -> None:
    modem.start()
    client = modem.acquire("holder")

    with pytest.raises(MqttError) as refused:
        modem.stop()

    assert refused.value.code is ResultCode.CLIENT_IS_USED
    assert refused.value.client_index is None
    client.release()
    modem.stop()


def test_certificate_unknown_to_the_module_raises_value_error(
    modem: SimcomMqtt, mosquitto: MosquittoBroker
) -> None:
    with pytest.raises(ValueError, match="Path"):
        modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=Tls(ca="missing.pem"))


def test_missing_certificate_file_raises_file_not_found(
    modem: SimcomMqtt, mosquitto: MosquittoBroker, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match=r"missing\.pem"):
        modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=Tls(ca=tmp_path / "missing.pem"))
