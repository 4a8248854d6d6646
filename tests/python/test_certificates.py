"""The module's certificate store and its SSL contexts."""

from pathlib import Path

import pytest
import trustme

from mosquitto_broker import MosquittoBroker
from simcom_mqtt import CommandError, SimcomMqtt, Tls
from simcom_mqtt.simulator import SimulatedModem


def test_certificates_are_stored_listed_and_deleted(modem: SimcomMqtt, tmp_path: Path) -> None:
    assert modem.certificates() == []
    file = tmp_path / "key.pem"
    file.write_bytes(b"-----BEGIN KEY")

    modem.upload_certificate("ca.pem", b"-----BEGIN CERTIFICATE")
    modem.upload_certificate("my_key.der", file)

    assert sorted(modem.certificates()) == ["ca.pem", "my_key.der"]
    modem.delete_certificate("ca.pem")
    assert modem.certificates() == ["my_key.der"]
    with pytest.raises(CommandError, match=r"ca\.pem"):
        modem.delete_certificate("ca.pem")


@pytest.mark.parametrize("size", [1, 3071, 3072, 3073, 6144, 10240])
def test_certificate_of_any_allowed_size_is_stored(
    modem: SimcomMqtt, simulator: SimulatedModem, size: int
) -> None:
    modem.upload_certificate("chain.pem", (b"\r\nOK\r\n>ERROR" * 1000)[:size])

    assert [line for line in simulator.received if "CCERTDOWN" in line] == [
        f'AT+CCERTDOWN="chain.pem",{size}'
    ]
    assert modem.certificates() == ["chain.pem"]
    assert modem.command("AT") == []


def test_chain_longer_than_one_packet_is_uploaded(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    # Comments may stand before the first certificate of a PEM file.
    chain = b"# padding\n" * 900 + mosquitto.authority.cert_pem.bytes()
    assert len(chain) > 2 * 3072

    client = modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=Tls(ca=chain))

    assert client.is_connected()


def test_same_certificate_is_uploaded_once(
    modem: SimcomMqtt, simulator: SimulatedModem, mosquitto: MosquittoBroker
) -> None:
    tls = Tls(ca=mosquitto.authority.cert_pem.bytes())

    for _ in range(2):
        with modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=tls):
            pass

    assert len([line for line in simulator.received if "CCERTDOWN" in line]) == 1
    (name,) = modem.certificates()
    assert 5 <= len(name) <= 55
    assert name.endswith(".pem")


@pytest.mark.parametrize("form", ["bytes", "text", "path", "name"])
def test_certificate_may_be_bytes_text_path_or_name(
    modem: SimcomMqtt, mosquitto: MosquittoBroker, tmp_path: Path, form: str
) -> None:
    pem = mosquitto.authority.cert_pem.bytes()
    file = tmp_path / "ca.pem"
    file.write_bytes(pem)
    modem.upload_certificate("on_module.pem", pem)

    forms = {
        "bytes": Tls(ca=pem),
        "text": Tls(ca=pem.decode()),
        "path": Tls(ca=file),
        "name": Tls(ca="on_module.pem"),
    }
    client = modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=forms[form])

    assert client.is_connected()


def test_each_client_uses_its_own_context(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    ca = mosquitto.authority.cert_pem.bytes()
    url = f"mqtts://127.0.0.1:{mosquitto.tls}"

    clients = [
        modem.connect(url, tls=Tls(ca=ca)),
        modem.connect(url, tls=Tls(ca=ca)),
    ]

    assert [client.query().ssl_context for client in clients] == [0, 1]
    clients[0].disconnect()
    clients[0].release()
    assert modem.connect(url, tls=Tls(ca=ca, context=9)).query().ssl_context == 9


def test_ssl_settings_are_read_back(modem: SimcomMqtt) -> None:
    modem.configure_ssl(3, sslversion=3, authmode=2, cacert="ca.pem", enableSNI=1, negotiatetime=60)

    settings = modem.ssl_context(3)

    expected = {"sslversion": 3, "authmode": 2, "cacert": "ca.pem", "enableSNI": 1, "negotiatetime": 60}
    assert {name: settings[name] for name in expected} == expected
    assert modem.ssl_context(4)["authmode"] == 0


def test_connect_writes_the_settings_of_tls(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    tls = Tls(ca=mosquitto.authority.cert_pem.bytes(), context=2, sslversion=3, ignore_local_time=False)

    modem.connect(f"mqtts://127.0.0.1:{mosquitto.tls}", tls=tls)

    settings = modem.ssl_context(2)
    assert (settings["sslversion"], settings["authmode"]) == (3, 1)
    assert (settings["enableSNI"], settings["ignorelocaltime"]) == (1, 0)


def test_key_is_not_in_repr(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    own = mosquitto.authority.issue_cert("module@rig.example")
    key = own.private_key_pem.bytes().decode()

    tls = Tls(verify="mutual", ca=trustme.CA().cert_pem.bytes(), cert=own.cert_chain_pems[0].bytes(), key=key)

    assert key.splitlines()[1] not in repr(tls)


def test_unknown_ssl_setting_raises_value_error(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    with pytest.raises(ValueError, match="colour"):
        modem.configure_ssl(0, colour=1)

    assert not [line for line in simulator.received if "CSSLCFG" in line]
