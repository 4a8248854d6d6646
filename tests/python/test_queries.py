"""Queries: the `=?` and `?` forms of the note's commands, and any AT command."""

import pytest

from scripted_broker import ScriptedBroker
from simcom_mqtt import CommandError, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem


def test_limits_queries_each_test_form(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    asked = len(simulator.received)

    limits = modem.limits()

    assert limits == {
        "CMQTTACCQ": ["(0-1),(1-128)[,(0-1)]"],
        "CMQTTREL": ["(0-1)"],
        "CMQTTSSLCFG": ["(0,1),(0-9)"],
        "CMQTTWILLTOPIC": ["(0-1),(1-1024)"],
        "CMQTTWILLMSG": ["(0-1),(1-1024),(0-2)"],
        "CMQTTCONNECT": ["(0-1),(9-256),(1-64800),(0-1)[,<user_name>,<pass_word>]"],
        "CMQTTDISC": ["(0-1),(0, 60-180)"],
        "CMQTTTOPIC": ["(0-1),(1-1024)"],
        "CMQTTPAYLOAD": ["(0-1),(1-4096)"],
        "CMQTTPUB": ["(0-1),(0-2),(60-180),(0-1),(0-1)"],
        "CMQTTSUB": ["(0-1),(1-1024),(0-2),(0-1)"],
        "CMQTTUNSUB": ["(0-1),(1-1024),(0-1)"],
        "CMQTTCFG": ['"checkUTF8",(0-1),(0-1)', '"optimeout ",(0-1),(20-120)', '"version",(0-1),(3-4)'],
    }
    assert simulator.received[asked:] == [f"AT+{name}=?" for name in limits]


def test_query_reads_the_settings_of_a_client(modem: SimcomMqtt, broker_url: str) -> None:
    modem.start()
    client = modem.acquire("dut", 1)
    fresh = client.query()

    assert (fresh.client_id, fresh.server_type) == ("dut", 0)
    assert (fresh.server_address, fresh.keepalive, fresh.clean_session) == (None, None, None)
    assert not fresh.connected
    assert (fresh.check_utf8, fresh.operation_timeout) == (True, 120)

    client.configure(check_utf8=False, operation_timeout=24)
    client.connect(broker_url, keepalive=77, clean_session=False, username="dut", password="swordfish")
    connected = client.query()

    assert connected.connected
    assert connected.server_address == broker_url.replace("mqtt://", "tcp://")
    assert (connected.keepalive, connected.clean_session) == (77, False)
    assert (connected.check_utf8, connected.operation_timeout) == (False, 24)
    assert "swordfish" not in f"{connected.raw} {connected!r}"


def test_query_reads_the_ssl_context_of_a_tls_client(modem: SimcomMqtt) -> None:
    modem.start()
    client = modem.acquire("secure", tls=True)

    client.use_ssl_context(7)

    assert (client.query().server_type, client.query().ssl_context) == (1, 7)


def test_clients_lists_acquired_clients(modem: SimcomMqtt) -> None:
    modem.start()
    assert modem.clients() == []

    second = modem.acquire("second", 1)
    assert modem.clients() == [second]
    first = modem.acquire("first", 0)
    assert modem.clients() == [first, second]
    assert modem.clients()[0] is first
    assert first.modem is modem

    first.release()
    assert modem.clients() == [second]
    assert modem.acquire("again", 0).client_id == "again"


def test_clients_lists_clients_of_an_earlier_driver(simulator: SimulatedModem, broker_url: str) -> None:
    earlier = SimcomMqtt(simulator.port)
    earlier.start()
    earlier.acquire("left", 1).connect(broker_url)
    earlier.close()

    with SimcomMqtt(simulator.port) as modem:
        (found,) = modem.clients()
        assert (found.index, found.client_id) == (1, "left")
        assert found.query().connected
        found.disconnect()
        found.release()
        modem.stop()


def test_subscribed_topics_lists_both_clients(modem: SimcomMqtt, simulator: SimulatedModem) -> None:
    with ScriptedBroker() as broker, modem.connect(broker.url) as first, modem.connect(broker.url) as second:
        assert modem.subscribed_topics() == []
        topics = [b"a/b", b"OK", b"CMQTTSUB: 0,0", b"\xc3\xa4/#"]
        for topic in topics[:2]:
            first.subscribe(topic)
        for topic in topics[2:]:
            second.subscribe(topic)

        assert sorted(modem.subscribed_topics()) == sorted(topics)
        first.unsubscribe(b"OK")
        assert sorted(modem.subscribed_topics()) == sorted([b"a/b", *topics[2:]])


def test_is_started_follows_the_service(modem: SimcomMqtt) -> None:
    assert not modem.is_started()
    modem.start()
    assert modem.is_started()
    modem.stop()
    assert not modem.is_started()


def test_command_returns_information_lines(modem: SimcomMqtt) -> None:
    assert modem.command("AT") == []
    modem.start()
    assert modem.command("AT+CMQTTDISC?") == ["+CMQTTDISC: 0,1", "+CMQTTDISC: 1,1"]
    (imei,) = modem.command("AT+CGSN")
    assert imei == modem.info().imei
    assert len(modem.command("AT+CSSLCFG?")) == 10


def test_command_sends_data_after_the_prompt(modem: SimcomMqtt) -> None:
    pem = b"-----BEGIN\r\nOK\r\n>"

    assert modem.command(f'AT+CCERTDOWN="data.pem",{len(pem)}', pem) == []

    assert modem.certificates() == ["data.pem"]


def test_refused_command_raises_command_error(modem: SimcomMqtt) -> None:
    with pytest.raises(CommandError) as refused:
        modem.command("AT+CMQTTSUBTOPIC=0,9,1")

    assert refused.value.command == "AT+CMQTTSUBTOPIC=0,9,1"
    assert refused.value.response == "ERROR"
    assert "AT+CMQTTSUBTOPIC=0,9,1" in str(refused.value)
    assert modem.command("AT") == []
