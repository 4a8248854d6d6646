"""The flows of the note's chapters 3.1 to 3.4, command by command and by `connect()`, on a real broker.

An ordinary client on the same broker checks what the module sends and receives.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from trustme import LeafCert

from host_client import HostClient, as_sent
from mosquitto_broker import PASSWORD, USER, MosquittoBroker
from scripted_module import ScriptedModule
from simcom_mqtt import MqttClient, MqttError, QoS, ResultCode, SimcomError, SimcomMqtt, Tls, Will
from simcom_mqtt.simulator import SimulatedModem

WILL = b"gone without a word"
PAYLOAD = b"0123456789" * 6


@dataclass(frozen=True)
class Certificates:
    """PEM files of a test bench: the broker's authority, and a certificate and key of its own."""

    authority: bytes
    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Flow:
    """One of the note's ways to connect."""

    listener: str
    ssl: dict[str, int | str]
    tls: Callable[[Certificates], Tls] | None


FLOWS = {
    "3.1 plain": Flow("plain", {}, None),
    "3.2 server not verified": Flow("tls", {}, lambda _: Tls(verify="none")),
    "3.3 server verified": Flow(
        "tls",
        {"sslversion": 4, "authmode": 1, "cacert": "server_ca.pem"},
        lambda own: Tls(ca=own.authority),
    ),
    "3.4 server and client verified": Flow(
        "mutual_tls",
        {
            "sslversion": 4,
            "authmode": 2,
            "cacert": "server_ca.pem",
            "clientcert": "cert.pem",
            "clientkey": "key_cert.pem",
        },
        lambda own: Tls(verify="mutual", ca=own.authority, cert=own.certificate, key=own.key),
    ),
}


@pytest.fixture(params=FLOWS.values(), ids=list(FLOWS))
def flow(request: pytest.FixtureRequest) -> Flow:
    parameter: Flow = request.param
    return parameter


@pytest.fixture(scope="session")
def certificates(mosquitto: MosquittoBroker) -> Certificates:
    own: LeafCert = mosquitto.authority.issue_cert("module@rig.example")
    return Certificates(
        mosquitto.authority.cert_pem.bytes(),
        own.cert_chain_pems[0].bytes(),
        own.private_key_pem.bytes(),
    )


def test_flow_command_by_command(
    modem: SimcomMqtt,
    simulator: SimulatedModem,
    mosquitto: MosquittoBroker,
    host: HostClient,
    base: str,
    flow: Flow,
    certificates: Certificates,
) -> None:
    if "cacert" in flow.ssl:
        modem.upload_certificate("server_ca.pem", certificates.authority)
        modem.upload_certificate("cert.pem", certificates.certificate)
        modem.upload_certificate("key_cert.pem", certificates.key)
    for name, value in flow.ssl.items():
        modem.configure_ssl(0, **{name: value})
    modem.start()
    client = modem.acquire("client test0", tls=flow.tls is not None)
    if flow.ssl:
        client.use_ssl_context(0)
    client.set_will(f"{base}/will", WILL, 1)
    scheme = "mqtts" if flow.tls else "mqtt"
    client.connect(f"{scheme}://127.0.0.1:{getattr(mosquitto, flow.listener)}", keepalive=60)

    exchange_messages(client, host, base)
    assert modem.command("AT+CMQTTSUB=0") == []
    client.disconnect()
    client.release()
    modem.stop()

    setup = ["CMQTTSSLCFG"] if flow.ssl else []
    assert [
        name for name in mqtt_writes(simulator) if name not in {"CMQTTTOPIC", "CMQTTPAYLOAD", "CMQTTPUB"}
    ] == [
        "CMQTTSTART",
        "CMQTTACCQ",
        *setup,
        "CMQTTWILLTOPIC",
        "CMQTTWILLMSG",
        *setup,
        "CMQTTCONNECT",
        "CMQTTSUB",
        "CMQTTUNSUB",
        "CMQTTSUB",
        "CMQTTDISC",
        "CMQTTREL",
        "CMQTTSTOP",
    ]


def test_flow_in_one_connect_call(
    modem: SimcomMqtt,
    mosquitto: MosquittoBroker,
    host: HostClient,
    base: str,
    flow: Flow,
    certificates: Certificates,
) -> None:
    scheme = "mqtts" if flow.tls else "mqtt"
    with modem.connect(
        f"{scheme}://127.0.0.1:{getattr(mosquitto, flow.listener)}",
        will=Will(f"{base}/will", WILL, 1),
        tls=flow.tls and flow.tls(certificates),
    ) as client:
        exchange_messages(client, host, base)
    assert modem.clients() == []


def test_will_is_published_when_the_connection_breaks(
    modem: SimcomMqtt,
    mosquitto: MosquittoBroker,
    host: HostClient,
    base: str,
    flow: Flow,
    certificates: Certificates,
) -> None:
    host.subscribe(f"{base}/#")
    scheme = "mqtts" if flow.tls else "mqtt"
    client = modem.connect(
        f"{scheme}://127.0.0.1:{getattr(mosquitto, flow.listener)}",
        client_id=base,
        will=Will(f"{base}/will", WILL, 2),
        tls=flow.tls and flow.tls(certificates),
    )

    # The broker closes the older of two connections with one client id.
    with HostClient(mosquitto.plain, client.client_id):
        pass

    assert as_sent(host.get()) == (f"{base}/will", WILL, 2, False)


@pytest.mark.parametrize("version", ["3.1", "3.1.1"])
def test_connect_uses_the_given_protocol_version(
    modem: SimcomMqtt, mosquitto: MosquittoBroker, broker_url: str, version: str
) -> None:
    seen = mosquitto.log_length

    modem.connect(broker_url, client_id=f"version-{version}", version=version, keepalive=77)  # type: ignore[arg-type]

    # Mosquitto logs numbers of its own for the versions, newer ones log the protocol level.
    level = {"3.1": "[13]", "3.1.1": "[24]"}[version]
    mosquitto.wait_for_log(rf"as version-{version} \(p{level}, c1, k77\)", since=seen)


@pytest.mark.parametrize("version", ["3.1", "3.1.1"])
def test_version_goes_with_acquire_on_firmware_without_the_setting(
    mosquitto: MosquittoBroker, broker_url: str, version: str
) -> None:
    seen = mosquitto.log_length

    with SimulatedModem(profile="sim7600") as module, SimcomMqtt(module.port) as modem:
        client = modem.connect(broker_url, client_id=f"sim7600-{version}", version=version, keepalive=78)  # type: ignore[arg-type]
        client.publish("a/b", b"x", 1)
        level = {"3.1": "[13]", "3.1.1": "[24]"}[version]
        mosquitto.wait_for_log(rf"as sim7600-{version} \(p{level}, c1, k78\)", since=seen)


def test_explicit_setting_that_the_firmware_does_not_know_is_an_error() -> None:
    answers = {
        "AT+CMQTTSTART": b"\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n",
        "AT+CMQTTACCQ?": b'\r\n+CMQTTACCQ: 0,"",0\r\n+CMQTTACCQ: 1,"",0\r\n\r\nOK\r\n',
        'AT+CMQTTCFG="optimeout",0,60': b"\r\nERROR\r\n",
    }
    with (
        ScriptedModule(answers) as module,
        SimcomMqtt(module.port) as modem,
        pytest.raises(MqttError, match="may not know the setting; leave operation_timeout out"),
    ):
        modem.connect("mqtt://127.0.0.1", client_id="dut", operation_timeout=60)


def test_persistent_session_keeps_messages_while_offline(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    with modem.connect(broker_url, client_id=base, clean_session=False) as client:
        client.subscribe(f"{base}/queued", 1)
    host.publish(f"{base}/queued", b"while you were out", 1)

    client = modem.acquire(base)
    with client.capture() as inbox:
        client.connect(broker_url, clean_session=False)
        assert inbox.get().payload == b"while you were out"


def test_connect_sends_user_and_password(modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    seen = mosquitto.log_length

    client = modem.connect(
        f"mqtt://127.0.0.1:{mosquitto.password}",
        client_id="with-password",
        username=USER,
        password=PASSWORD,
    )

    assert client.is_connected()
    mosquitto.wait_for_log(rf"as with-password \(.*u'{USER}'\)", since=seen)


def test_default_client_id_is_imei_and_index(modem: SimcomMqtt, broker_url: str) -> None:
    imei = modem.info().imei

    clients = [modem.connect(broker_url), modem.connect(broker_url)]

    assert [(client.index, client.client_id) for client in clients] == [(0, f"{imei}-0"), (1, f"{imei}-1")]


def test_third_connect_fails_while_both_clients_are_in_use(modem: SimcomMqtt, broker_url: str) -> None:
    modem.connect(broker_url)
    modem.connect(broker_url)

    with pytest.raises(SimcomError):
        modem.connect(broker_url)


def test_acquiring_an_acquired_client_is_refused(modem: SimcomMqtt) -> None:
    modem.start()
    first = modem.acquire("first", 1)

    with pytest.raises(MqttError, match="CMQTTACCQ") as refused:
        modem.acquire("second", 1)

    assert refused.value.code in {ResultCode.CLIENT_IS_USED, None}
    assert modem.clients() == [first]


def exchange_messages(client: MqttClient, host: HostClient, base: str) -> None:
    """Publish and receive at each QoS, with and without retain and payload."""
    host.subscribe(f"{base}/up/#")
    levels: list[QoS] = [0, 1, 2]
    sent = [
        (f"{base}/up/{qos}/{retain}", payload, qos, retain)
        for qos in levels
        for retain in (False, True)
        for payload in (PAYLOAD, b"")
    ]
    for topic, payload, qos, retain in sent:
        client.publish(topic, payload, qos, retain=retain)
    assert [as_sent(host.get()) for _ in sent] == sent

    client.subscribe(f"{base}/down/#", 2)
    with client.capture(f"{base}/down/#") as inbox:
        for topic, payload, qos, retain in sent:
            host.publish(topic.replace("/up/", "/down/"), payload, qos, retain=retain)
        received = inbox.wait_count(len(sent))
    assert sorted((message.topic, message.payload) for message in received) == sorted(
        (topic.replace("/up/", "/down/"), payload) for topic, payload, _, _ in sent
    )
    client.unsubscribe(f"{base}/down/#")


def mqtt_writes(simulator: SimulatedModem) -> list[str]:
    """Returns the MQTT commands that the module received, without parameters and without queries."""
    return [
        line.removeprefix("AT+").partition("=")[0]
        for line in simulator.received
        if line.startswith("AT+CMQTT") and not line.endswith("?")
    ]
