"""Bad input is a ValueError that names argument, value and range, before a byte is written."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from simcom_mqtt import Message, MqttClient, SimcomMqtt, Tls, Will
from simcom_mqtt.simulator import SimulatedModem

URL = "mqtt://127.0.0.1"
Call = Callable[[SimcomMqtt, MqttClient], object]

# Case → the call, and words of the error text: argument, value, range.
BAD_INPUT: dict[str, tuple[Call, list[str]]] = {
    "index 2": (lambda modem, _: modem.acquire("dut", bad(2)), ["index", "2", "0", "1"]),
    "index 2 in connect": (lambda modem, _: modem.connect(URL, index=bad(2)), ["index", "2", "0", "1"]),
    "index -1": (lambda modem, _: modem.acquire("dut", bad(-1)), ["index", "-1"]),
    "empty client id": (lambda modem, _: modem.acquire("", 1), ["client_id", "0", "1", "128"]),
    "client id of 129": (lambda modem, _: modem.acquire("x" * 129, 1), ["client_id", "129", "128"]),
    "client id of 129 bytes": (
        lambda modem, _: modem.acquire("ä" * 64 + "x", 1),
        ["client_id", "129", "128"],
    ),
    "client id of 129 in connect": (
        lambda modem, _: modem.connect(URL, client_id="x" * 129),
        ["client_id", "129", "128"],
    ),
    "publish to an empty topic": (lambda _, client: client.publish("", b"x"), ["topic", "0", "1", "1024"]),
    "publish to a topic of 1025": (lambda _, client: client.publish("x" * 1025), ["topic", "1025", "1024"]),
    "publish_nowait to a topic of 1025": (
        lambda _, client: client.publish_nowait("x" * 1025),
        ["topic", "1025", "1024"],
    ),
    "subscribe to an empty topic": (lambda _, client: client.subscribe(""), ["topic", "0", "1024"]),
    "subscribe to a topic of 1025": (
        lambda _, client: client.subscribe(b"x" * 1025),
        ["topic", "1025", "1024"],
    ),
    "a filter that cannot match": (lambda _, client: client.capture("a/#/b"), ["filter", "a/#/b", "# alone"]),
    "an empty filter": (lambda _, client: client.messages(""), ["filter", "0", "1024"]),
    "waiting on a filter that cannot match": (
        lambda _, client: client.wait_for_message("a+"),
        ["filter", "a+", "+ alone"],
    ),
    "a negative count": (lambda _, client: client.capture().wait_count(-1), ["n", "-1", "0 or more"]),
    "unsubscribe from an empty topic": (lambda _, client: client.unsubscribe(""), ["topic", "0", "1024"]),
    "unsubscribe from a topic of 1025": (lambda _, client: client.unsubscribe("ä" * 513), ["topic", "1026"]),
    "will topic of 0": (lambda _, client: client.set_will("", b"x"), ["topic", "0", "1024"]),
    "will topic of 1025": (lambda _, client: client.set_will("x" * 1025, b"x"), ["topic", "1025", "1024"]),
    "will message of 0": (lambda _, client: client.set_will("a", b""), ["payload", "0", "1", "1024"]),
    "will message of 1025": (
        lambda _, client: client.set_will("a", b"x" * 1025),
        ["payload", "1025", "1024"],
    ),
    "Will message of 0": (lambda *_: Will("a", b""), ["payload", "0", "1024"]),
    "Will message of 1025": (lambda *_: Will("a", b"x" * 1025), ["payload", "1025", "1024"]),
    "Will topic of 1025": (lambda *_: Will("x" * 1025, b"x"), ["topic", "1025", "1024"]),
    "QoS 3 of a Will": (lambda *_: Will("a", b"x", bad(3)), ["qos", "3", "0", "2"]),
    "QoS 3 of set_will": (lambda _, client: client.set_will("a", b"x", bad(3)), ["qos", "3", "0", "2"]),
    "QoS 3 of publish": (lambda _, client: client.publish("a", b"x", bad(3)), ["qos", "3", "0", "2"]),
    "QoS -1 of publish": (lambda _, client: client.publish("a", b"x", bad(-1)), ["qos", "-1"]),
    "QoS 3 of subscribe": (lambda _, client: client.subscribe("a", bad(3)), ["qos", "3", "0", "2"]),
    "keepalive 0": (lambda _, client: client.connect(URL, keepalive=0), ["keepalive", "0", "1", "64800"]),
    "keepalive 64801": (
        lambda _, client: client.connect(URL, keepalive=64801),
        ["keepalive", "64801", "64800"],
    ),
    "keepalive 64801 in one call": (
        lambda modem, _: modem.connect(URL, keepalive=64801),
        ["keepalive", "64801", "64800"],
    ),
    "operation timeout 19": (
        lambda _, client: client.configure(operation_timeout=19),
        ["operation_timeout", "19", "20", "120"],
    ),
    "operation timeout 121": (
        lambda modem, _: modem.connect(URL, operation_timeout=121),
        ["operation_timeout", "121", "20", "120"],
    ),
    "SSL context 10": (lambda _, client: client.use_ssl_context(10), ["context", "10", "0", "9"]),
    "SSL context 10 of configure_ssl": (
        lambda modem, _: modem.configure_ssl(10, authmode=1),
        ["context", "10", "9"],
    ),
    "SSL context 10 of ssl_context": (lambda modem, _: modem.ssl_context(10), ["context", "10", "9"]),
    "SSL context 10 of Tls": (lambda *_: Tls(context=10), ["context", "10", "9"]),
    "user of 257": (lambda _, client: client.connect(URL, username="x" * 257), ["username", "257", "256"]),
    "empty user": (lambda _, client: client.connect(URL, username=""), ["username", "0", "1", "256"]),
    "password of 257": (
        lambda _, client: client.connect(URL, username="dut", password="x" * 257),
        ["password", "257", "256"],
    ),
    "password without a user": (
        lambda _, client: client.connect(URL, password="x"),
        ["password", "username"],
    ),
    "address over 256": (lambda _, client: client.connect("x" * 300), ["url", "256"]),
    "no address": (lambda _, client: client.connect("mqtt://"), ["url", "mqtt://"]),
    "address under 9": (lambda _, client: client.connect("a"), ["url", "9", "256"]),
    "unknown scheme": (lambda _, client: client.connect("http://host"), ["url", "http"]),
    "port 65536": (lambda _, client: client.connect("mqtt://host:65536"), ["url", "65536"]),
    "port that is no number": (lambda _, client: client.connect("mqtt://host:mqtt"), ["url", "mqtt"]),
    "mqtts on a client acquired for TCP": (lambda _, client: client.connect("mqtts://host"), ["url", "tls"]),
    "ssl on a client acquired for TCP": (lambda _, client: client.connect("ssl://host"), ["url", "tls"]),
    "tls for a plain URL": (lambda modem, _: modem.connect(URL, tls=Tls(verify="none")), ["tls", "mqtt"]),
    "TLS that verifies against nothing": (lambda modem, _: modem.connect("mqtts://host"), ["ca"]),
    "mutual TLS without a certificate": (
        lambda modem, _: modem.connect("mqtts://host", tls=Tls(verify="mutual", ca=b"-----BEGIN")),
        ["cert"],
    ),
    "unknown verification": (lambda *_: Tls(verify=bad("maybe")), ["verify", "maybe"]),
    "unknown protocol version": (
        lambda _, client: client.configure(version=bad("5")),
        ["version", "5", "3.1.1"],
    ),
    "certificate name of 4": (lambda modem, _: modem.upload_certificate("a.pe", b"x"), ["name", "5", "55"]),
    "certificate name of 56": (
        lambda modem, _: modem.upload_certificate("x" * 52 + ".pem", b"x"),
        ["name", "5 to 55"],
    ),
    "certificate name without .pem": (
        lambda modem, _: modem.upload_certificate("ca.crt", b"x"),
        ["name", "ca.crt", ".pem"],
    ),
    "empty certificate": (lambda modem, _: modem.upload_certificate("ca.pem", b""), ["pem", "0", "10240"]),
    "certificate of 10241": (
        lambda modem, _: modem.upload_certificate("ca.pem", b"x" * 10241),
        ["pem", "10241", "10240"],
    ),
    "AT command with a line end": (lambda modem, _: modem.command("AT\rAT"), ["command"]),
    "AT command of 3072": (lambda modem, _: modem.command("AT" + "x" * 3070), ["command", "3071"]),
    "negative timeout": (lambda modem, _: modem.command("AT", timeout=-1), ["timeout", "-1"]),
    "timeout that is no number": (lambda modem, _: modem.command("AT", timeout=float("nan")), ["timeout"]),
}


def quoted(argument: str, text: str) -> Call:
    """Returns a call that would send the text in a quoted parameter of an AT command."""
    calls: dict[str, Call] = {
        "client_id": lambda modem, _: modem.acquire(text, 1),
        "url": lambda _, client: client.connect(f"mqtt://{text}"),
        "username": lambda _, client: client.connect(URL, username=text),
        "password": lambda _, client: client.connect(URL, username="dut", password=text),
        "name": lambda modem, _: modem.upload_certificate(f"{text}.pem", b"x"),
        "cacert": lambda modem, _: modem.configure_ssl(0, cacert=f"{text}.pem"),
    }
    return calls[argument]


BAD_INPUT |= {
    f"{argument} with {character!r}": (quoted(argument, f"abcde{character}f"), [argument])
    for argument in ("client_id", "url", "username", "password", "name", "cacert")
    for character in '"\r\n\0'
}


def bad(value: object) -> Any:
    """Returns a value that the type annotations forbid."""
    return value


@pytest.fixture
def client(modem: SimcomMqtt) -> MqttClient:
    modem.start()
    return modem.acquire("arguments")


@pytest.mark.parametrize(("call", "named"), BAD_INPUT.values(), ids=list(BAD_INPUT))
def test_bad_input_raises_value_error_before_anything_is_written(
    modem: SimcomMqtt, client: MqttClient, simulator: SimulatedModem, call: Call, named: list[str]
) -> None:
    written = (len(simulator.received), modem.stats.bytes_out)

    with pytest.raises(ValueError, match=named[0]) as refused:
        call(modem, client)

    for word in named[1:]:
        assert word in str(refused.value)
    assert (len(simulator.received), modem.stats.bytes_out) == written


def test_bad_password_is_not_in_the_error(client: MqttClient) -> None:
    with pytest.raises(ValueError, match="password") as refused:
        client.connect(URL, username="dut", password='swordfish"')

    assert "swordfish" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("mqtt://127.0.0.1", "tcp://127.0.0.1:1883"),
        ("tcp://127.0.0.1", "tcp://127.0.0.1:1883"),
        ("127.0.0.1", "tcp://127.0.0.1:1883"),
        ("mqtt://127.0.0.1:1", "tcp://127.0.0.1:1"),
        ("127.0.0.1:1", "tcp://127.0.0.1:1"),
    ],
)
def test_url_form_becomes_module_address(
    client: MqttClient, simulator: SimulatedModem, url: str, address: str
) -> None:
    # Only the command line matters here: the connection may be refused.
    with contextlib.suppress(ConnectionError):
        client.connect(url)

    (line,) = [line for line in simulator.received if line.startswith("AT+CMQTTCONNECT=0")]
    assert line.split('"')[1] in {address, address.removesuffix(":1883")}


def test_payload_limit_is_asked_from_module_once(client: MqttClient, simulator: SimulatedModem) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="payload") as refused:
            client.publish("a/b", b"x" * 4097)
        assert "4097" in str(refused.value)
        assert "4096" in str(refused.value)

    # The limit is queried once, when it is first needed.
    assert simulator.received.count("AT+CMQTTPAYLOAD=?") == 1
    assert not [line for line in simulator.received if line.startswith("AT+CMQTTTOPIC")]


@pytest.mark.parametrize("payload", ["text", b"bytes", bytearray(b"bytearray"), memoryview(b"memoryview")])
def test_each_payload_type_arrives(
    modem: SimcomMqtt, broker_url: str, base: str, payload: str | bytes | bytearray | memoryview
) -> None:
    client = modem.connect(broker_url)
    client.subscribe(base)

    with client.capture() as inbox:
        client.publish(base, payload)
        expected = payload.encode() if isinstance(payload, str) else bytes(payload)
        assert inbox.get() == Message(base, expected)


@pytest.mark.parametrize("payload", [None, 7, ["x"]])
def test_wrong_payload_type_raises_type_error(client: MqttClient, payload: object) -> None:
    with pytest.raises(TypeError):
        client.publish("a/b", bad(payload))
