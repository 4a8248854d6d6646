"""WILLTOPIC, WILLMSG, CONNECT, DISC: packets to the broker, and result codes of its answers."""

import queue
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import pytest

from host_client import HostClient
from mosquitto_broker import PASSWORD, USER, MosquittoBroker, free_ports
from scripted_broker import CONNECT, DISCONNECT, PINGREQ, ScriptedBroker
from simcom_mqtt.simulator import SimulatedModem
from simulator.wire import Wire

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
ADDRESS = b'"tcp://host.example:1883"'


@contextmanager
def acquired_on(broker: str | None, client_id: bytes = b"device") -> Iterator[Wire]:
    """A raw host on a module of its own, client 0 acquired."""
    with SimulatedModem(broker=broker) as module, Wire(module.port) as wire:
        wire.ask(b"ATE0", b"ATE0\r\r\nOK\r\n")
        wire.ask(b"AT+CMQTTSTART", b"\r\nOK\r\n\r\n+CMQTTSTART: 0\r\n")
        wire.ok(b'AT+CMQTTACCQ=0,"%b"' % client_id)
        yield wire


def address(broker: ScriptedBroker) -> str:
    return broker.url.removeprefix("mqtt://")


def connect_result(code: int) -> bytes:
    return OK + b"\r\n+CMQTTCONNECT: 0,%d\r\n" % code


class TestConnectPacket:
    """The CONNECT packet, byte for byte."""

    def connect(self, *commands: bytes, parameters: bytes = b"60,1", version: int = 3) -> bytes:
        with ScriptedBroker() as broker, acquired_on(address(broker)) as wire:
            wire.ok(b'AT+CMQTTCFG="version",0,%d' % version)
            for command in commands:
                wire.send(command)
                wire.expect(b"\r\n>" + OK)
            wire.ask(b"AT+CMQTTCONNECT=0,%b,%b" % (ADDRESS, parameters), connect_result(0))
            return broker.wait_for(CONNECT).body

    def test_default_version_is_mqtt_3_1(self) -> None:
        assert self.connect() == b"\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x06device"

    def test_mqtt_3_1_1_without_clean_session(self) -> None:
        body = self.connect(parameters=b"64800,0", version=4)
        assert body == b"\x00\x04MQTT\x04\x00\xfd\x20\x00\x06device"

    def test_connect_with_user_only(self) -> None:
        body = self.connect(parameters=b'1,1,"me"', version=4)
        assert body == b"\x00\x04MQTT\x04\x82\x00\x01\x00\x06device\x00\x02me"

    def test_connect_with_user_and_password(self) -> None:
        body = self.connect(parameters=b'60,1,"me","\xff,p w"', version=4)
        assert body == b"\x00\x04MQTT\x04\xc2\x00\x3c\x00\x06device\x00\x02me\x00\x05\xff,p w"

    def test_connect_with_empty_password(self) -> None:
        body = self.connect(parameters=b'60,1,"token",""', version=4)
        assert body == b"\x00\x04MQTT\x04\xc2\x00\x3c\x00\x06device\x00\x05token\x00\x00"

    def test_connect_with_will(self) -> None:
        body = self.connect(b"AT+CMQTTWILLTOPIC=0,2\rwt", b"AT+CMQTTWILLMSG=0,3,1\r\x00\xff!", version=4)
        assert body == b"\x00\x04MQTT\x04\x0e\x00\x3c\x00\x06device\x00\x02wt\x00\x03\x00\xff!"

    def test_will_message_without_topic_is_no_will(self) -> None:
        body = self.connect(b"AT+CMQTTWILLMSG=0,3,1\rabc", version=4)
        assert body == b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x06device"


class TestResultCodes:
    @pytest.mark.parametrize("version", [3, 4])
    @pytest.mark.parametrize("connack", [1, 2, 3, 4, 5])
    def test_connack_code_becomes_result_code(self, connack: int, version: int) -> None:
        with ScriptedBroker(connack=connack) as broker, acquired_on(address(broker)) as wire:
            wire.ok(b'AT+CMQTTCFG="version",0,%d' % version)
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(26 + connack))
            wire.expect_nothing()
            broker.wait_for(CONNECT)
            with pytest.raises(queue.Empty):
                broker.packets.get_nowait()

    def test_broker_that_closes_gives_26(self) -> None:
        with ScriptedBroker(closes_on=CONNECT) as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(26))

    def test_closed_port_gives_3(self) -> None:
        with acquired_on(f"127.0.0.1:{free_ports(1)[0]}") as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(3))

    def test_unknown_host_gives_25(self) -> None:
        with acquired_on(None) as wire:
            wire.ask(b'AT+CMQTTCONNECT=0,"tcp://no-such-host.invalid:1883",60,1', connect_result(25))

    def test_client_connects_after_failure(self, mosquitto: MosquittoBroker) -> None:
        with acquired_on(None) as wire:
            wire.ok(b"AT+CMQTTSSLCFG=0,7")
            wire.ask(b'AT+CMQTTCONNECT=0,"tcp://no-such-host.invalid:1883",60,1', connect_result(25))
            wire.ask(b"AT+CMQTTSSLCFG?", b"\r\n+CMQTTSSLCFG: 0,\r\n+CMQTTSSLCFG: 1,\r\n" + OK)
            wire.ask(b'AT+CMQTTCONNECT=0,"tcp://127.0.0.1:%d",60,1' % mosquitto.plain, connect_result(0))

    def test_wrong_password_is_refused(self, mosquitto: MosquittoBroker) -> None:
        with acquired_on(f"127.0.0.1:{mosquitto.password}") as wire:
            wire.ask(b'AT+CMQTTCONNECT=0,%b,60,1,"%b","no"' % (ADDRESS, USER.encode()), connect_result(31))
            good = (ADDRESS, USER.encode(), PASSWORD.encode())
            wire.ask(b'AT+CMQTTCONNECT=0,%b,60,1,"%b","%b"' % good, connect_result(0))


class TestRefusals:
    def test_second_connect_is_refused(self, connected: Wire) -> None:
        connected.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, b"\r\n+CMQTTCONNECT: 0,19\r\n" + ERROR)

    def test_connect_while_connecting_is_refused(self) -> None:
        with ScriptedBroker(silent_on=CONNECT) as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, OK)
            broker.wait_for(CONNECT)
            for command in (b"CONNECT=0,%b,60,1" % ADDRESS, b"DISC=0", b"SUB=0,1,0", b"UNSUB=0,1,0"):
                name = command.partition(b"=")[0]
                wire.ask(b"AT+CMQTT" + command, b"\r\n+CMQTT%b: 0,14\r\n" % name + ERROR)
            wire.ask(b"AT+CMQTTREL=0", ERROR)
            wire.ok(b'AT+CMQTTACCQ=1,"other"')
            broker.speak_again()
            wire.expect(b"\r\n+CMQTTCONNECT: 0,0\r\n")

    @pytest.mark.parametrize(
        ("parameters", "answer"),
        [
            (b'0,"tcp://ab",60,1', b"\r\n+CMQTTCONNECT: 0,22\r\n" + ERROR),
            (b'0,"tcp://%b",60,1' % (b"h" * 251), b"\r\n+CMQTTCONNECT: 0,22\r\n" + ERROR),
            (b'0,"mqtt://host",60,1', b"\r\n+CMQTTCONNECT: 0,12\r\n" + ERROR),
            (b'0,"tcp://host:99999",60,1', b"\r\n+CMQTTCONNECT: 0,12\r\n" + ERROR),
            (b'0,"tcp://host",0,1', ERROR),
            (b'0,"tcp://host",64801,1', ERROR),
            (b'0,"tcp://host",60,2', ERROR),
            (b'0,"tcp://host",60', ERROR),
            (b'2,"tcp://host",60,1', ERROR),
            (b'0,"tcp://host",60,1,""', b"\r\n+CMQTTCONNECT: 0,22\r\n" + ERROR),
            (b'0,"tcp://host",60,1,"%b"' % (b"u" * 257), b"\r\n+CMQTTCONNECT: 0,22\r\n" + ERROR),
        ],
    )
    def test_bad_parameters(self, acquired: Wire, parameters: bytes, answer: bytes) -> None:
        acquired.ask(b"AT+CMQTTCONNECT=" + parameters, answer)

    @pytest.mark.parametrize("command", [b"AT+CMQTTWILLTOPIC=0,%d", b"AT+CMQTTWILLMSG=0,%d,0"])
    @pytest.mark.parametrize("length", [0, 1025])
    def test_will_length_out_of_range_is_refused(self, acquired: Wire, command: bytes, length: int) -> None:
        name = command[3:].partition(b"=")[0]
        acquired.ask(command % length, b"\r\n+%b: 0,22\r\n" % name + ERROR)

    @pytest.mark.parametrize("parameters", [b"0,5,3", b"0,5", b"2,5,0", b"0,x,0"])
    def test_will_message_with_bad_parameters_is_refused(self, acquired: Wire, parameters: bytes) -> None:
        acquired.ask(b"AT+CMQTTWILLMSG=" + parameters, ERROR)

    def test_will_topic_with_invalid_utf8_is_refused(self, acquired: Wire) -> None:
        acquired.enter(b"AT+CMQTTWILLTOPIC=0,2", b"\xff\xfe", b"\r\n+CMQTTWILLTOPIC: 0,2\r\n" + ERROR)
        acquired.ok(b'AT+CMQTTCFG="checkUTF8",0,0')
        acquired.enter(b"AT+CMQTTWILLTOPIC=0,2", b"\xff\xfe")


class TestReadForms:
    def test_read_form_of_connect(self, acquired: Wire) -> None:
        acquired.ask(b"AT+CMQTTCONNECT?", b"\r\n+CMQTTCONNECT: 0\r\n+CMQTTCONNECT: 1\r\n" + OK)
        acquired.ask(b'AT+CMQTTCONNECT=0,"tcp://a.example:5141",20,1', connect_result(0))
        shown = b'\r\n+CMQTTCONNECT: 0,"tcp://a.example:5141",20,1\r\n+CMQTTCONNECT: 1\r\n'
        acquired.ask(b"AT+CMQTTCONNECT?", shown + OK)

    def test_read_form_of_connect_shows_user_and_password(self, acquired: Wire) -> None:
        acquired.ask(b'AT+CMQTTCONNECT=0,"tcp://host",20,0,"me","secret"', connect_result(0))
        shown = b'\r\n+CMQTTCONNECT: 0,"tcp://host",20,0,"me","secret"\r\n+CMQTTCONNECT: 1\r\n'
        acquired.ask(b"AT+CMQTTCONNECT?", shown + OK)

    def test_read_form_of_disc(self, connected: Wire) -> None:
        connected.ask(b"AT+CMQTTDISC?", b"\r\n+CMQTTDISC: 0,0\r\n+CMQTTDISC: 1,1\r\nOK\r\n")


class TestDisconnect:
    @pytest.mark.parametrize("parameters", [b"0", b"0,0", b"0,60", b"0,180"])
    def test_disc_sends_disconnect(self, parameters: bytes) -> None:
        with ScriptedBroker() as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            wire.ask(b"AT+CMQTTDISC=" + parameters, OK + b"\r\n+CMQTTDISC: 0,0\r\n")
            broker.wait_for(DISCONNECT)
            wire.ask(b"AT+CMQTTDISC=0", b"\r\n+CMQTTDISC: 0,11\r\n" + ERROR)

    @pytest.mark.parametrize("parameters", [b"0,59", b"0,181", b"2", b"", b"0,60,1"])
    def test_bad_parameters(self, connected: Wire, parameters: bytes) -> None:
        connected.ask(b"AT+CMQTTDISC=" + parameters, ERROR)

    def test_disc_sends_no_will(self, connected: Wire, host: HostClient, base: str) -> None:
        connected.ask(b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,0\r\n")
        topic = f"{base}/will"
        host.subscribe(topic)
        connected.enter(b"AT+CMQTTWILLTOPIC=0,%d" % len(topic), topic.encode())
        connected.enter(b"AT+CMQTTWILLMSG=0,4,1", b"gone")
        connected.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
        connected.ask(b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,0\r\n")
        host.publish(topic, b"last")
        assert host.get().payload == b"last"


class TestConnectionLost:
    def test_closed_session_is_reported(self) -> None:
        with ScriptedBroker() as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            broker.close_connections()
            wire.expect(b"\r\n+CMQTTCONNLOST: 0,1\r\n")
            wire.ask(b"AT+CMQTTDISC?", b"\r\n+CMQTTDISC: 0,1\r\n+CMQTTDISC: 1,1\r\nOK\r\n")
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))

    def test_reset_session_is_reported(self) -> None:
        with ResettingBroker() as broker, acquired_on(broker.address) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            broker.reset()
            wire.expect(b"\r\n+CMQTTCONNLOST: 0,2\r\n")

    def test_broker_publishes_will_when_module_vanishes(
        self, mosquitto: MosquittoBroker, host: HostClient, base: str
    ) -> None:
        topic = f"{base}/will"
        host.subscribe(topic)
        with acquired_on(f"127.0.0.1:{mosquitto.plain}", base.encode()) as wire:
            wire.enter(b"AT+CMQTTWILLTOPIC=0,%d" % len(topic), topic.encode())
            wire.enter(b"AT+CMQTTWILLMSG=0,4,1", b"gone")
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
        message = host.get()
        assert (message.topic, message.payload, message.qos, message.retain) == (topic, b"gone", 1, False)

    def test_keepalive_is_sent(self) -> None:
        with ScriptedBroker() as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,1,1" % ADDRESS, connect_result(0))
            for _ in range(2):
                broker.wait_for(PINGREQ)

    def test_unanswered_keepalive_loses_session(self) -> None:
        with ScriptedBroker(silent_on=PINGREQ) as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,1,1" % ADDRESS, connect_result(0))
            wire.expect(b"\r\n+CMQTTCONNLOST: 0,1\r\n")


class ResettingBroker:
    """Accepts one session and ends it with a TCP reset."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._server.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._thread.join()
        self._connection.close()
        self._server.close()

    def reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def _serve(self) -> None:
        self._connection, _ = self._server.accept()
        self._connection.recv(1000)
        self._connection.sendall(b"\x20\x02\x00\x00")
