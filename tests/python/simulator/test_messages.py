"""TOPIC, PAYLOAD, PUB, SUB, UNSUB, and the blocks of inbound messages."""

import pytest

from host_client import HostClient, as_sent
from scripted_broker import (
    PUBLISH,
    SUBSCRIBE,
    UNSUBSCRIBE,
    ScriptedBroker,
)
from simcom_mqtt.simulator import Profile, SimulatedModem
from simcom_mqtt.simulator import module as module_file
from simcom_mqtt.simulator.message_block import block_parts
from simulator.test_session import ADDRESS, acquired_on, address, connect_result
from simulator.wire import Wire

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
PUBLISHED = OK + b"\r\n+CMQTTPUB: 0,0\r\n"
SUBSCRIBED = OK + b"\r\n+CMQTTSUB: 0,0\r\n"
UNSUBSCRIBED = OK + b"\r\n+CMQTTUNSUB: 0,0\r\n"


def publish(wire: Wire, topic: bytes, payload: bytes, parameters: bytes = b"0,60") -> None:
    stage(wire, topic, payload)
    wire.ask(b"AT+CMQTTPUB=0," + parameters, PUBLISHED)


def stage(wire: Wire, topic: bytes, payload: bytes) -> None:
    wire.enter(b"AT+CMQTTTOPIC=0,%d" % len(topic), topic)
    wire.enter(b"AT+CMQTTPAYLOAD=0,%d" % len(payload), payload)


def subscribe(wire: Wire, topic: bytes, qos: int = 0) -> None:
    wire.enter(b"AT+CMQTTSUB=0,%d,%d" % (len(topic), qos), topic, SUBSCRIBED)


class TestPublish:
    @pytest.mark.parametrize("qos", [0, 1, 2])
    def test_publish_at_each_qos(self, connected: Wire, host: HostClient, base: str, qos: int) -> None:
        host.subscribe(f"{base}/#")
        publish(connected, f"{base}/a".encode(), b"payload", b"%d,60" % qos)
        assert as_sent(host.get()) == (f"{base}/a", b"payload", qos, False)

    def test_publish_with_retain_flag(self, connected: Wire, host: HostClient, base: str) -> None:
        host.subscribe(f"{base}/#")
        publish(connected, f"{base}/a".encode(), b"kept", b"1,180,1")
        assert as_sent(host.get()) == (f"{base}/a", b"kept", 1, True)
        connected.enter(b"AT+CMQTTTOPIC=0,%d" % len(f"{base}/a"), f"{base}/a".encode())
        connected.ask(b"AT+CMQTTPUB=0,1,60,1", PUBLISHED)
        assert as_sent(host.get()) == (f"{base}/a", b"", 1, True)

    def test_publish_of_largest_message(self, connected: Wire, host: HostClient, base: str) -> None:
        topic = f"{base}/".ljust(1024, "t")
        payload = bytes(range(256)) * 16
        host.subscribe(f"{base}/#")
        publish(connected, topic.encode(), payload)
        assert as_sent(host.get()) == (topic, payload, 0, False)

    def test_publish_clears_topic_and_payload(self, connected: Wire, host: HostClient, base: str) -> None:
        host.subscribe(f"{base}/#")
        publish(connected, f"{base}/a".encode(), b"payload")
        assert as_sent(host.get())[1] == b"payload"
        connected.ask(b"AT+CMQTTPUB=0,0,60", b"\r\n+CMQTTPUB: 0,18\r\n" + ERROR)
        connected.enter(b"AT+CMQTTTOPIC=0,%d" % len(f"{base}/b"), f"{base}/b".encode())
        connected.ask(b"AT+CMQTTPUB=0,0,60", PUBLISHED)
        assert as_sent(host.get()) == (f"{base}/b", b"", 0, False)

    def test_refused_publish_clears_nothing(self, connected: Wire, host: HostClient, base: str) -> None:
        host.subscribe(f"{base}/#")
        stage(connected, f"{base}/a".encode(), b"payload")
        connected.ask(b"AT+CMQTTPUB=0,0,59", ERROR)
        connected.ask(b"AT+CMQTTPUB=0,0,60", PUBLISHED)
        assert as_sent(host.get()) == (f"{base}/a", b"payload", 0, False)

    @pytest.mark.parametrize(("qos", "flags"), [(0, 0b0000), (1, 0b1010), (2, 0b1100)])
    def test_dup_flag_needs_qos(self, qos: int, flags: int) -> None:
        with ScriptedBroker() as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            publish(wire, b"t", b"p", b"%d,60,0,1" % qos)
            assert broker.wait_for(PUBLISH).flags == flags
            publish(wire, b"t", b"p", b"%d,60,1" % qos)
            assert broker.wait_for(PUBLISH).flags == qos << 1 | 1

    @pytest.mark.parametrize(
        "parameters", [b"0,3,60", b"0,0,181", b"0,0", b"0,0,60,2", b"0,0,60,0,2", b"2,0,60"]
    )
    def test_bad_parameters(self, connected: Wire, parameters: bytes) -> None:
        connected.ask(b"AT+CMQTTPUB=" + parameters, ERROR)

    @pytest.mark.parametrize("command", [b"CMQTTTOPIC", b"CMQTTPAYLOAD"])
    @pytest.mark.parametrize(("length", "is_beyond"), [(0, True), (1024, False), (1025, None), (4097, True)])
    def test_length_out_of_range_is_refused(
        self, connected: Wire, command: bytes, length: int, is_beyond: bool | None
    ) -> None:
        refused = is_beyond or (is_beyond is None and command == b"CMQTTTOPIC")
        line = b"AT+%b=0,%d" % (command, length)
        if refused:
            connected.ask(line, b"\r\n+%b: 0,22\r\n" % command + ERROR)
        else:
            connected.enter(line, b"x" * length)

    def test_topic_with_wildcard_is_refused(self, connected: Wire) -> None:
        stage(connected, b"a/+", b"p")
        connected.ask(b"AT+CMQTTPUB=0,0,60", OK + b"\r\n+CMQTTPUB: 0,12\r\n")

    def test_channel_is_free_until_broker_answers(self) -> None:
        with ScriptedBroker(silent_on=PUBLISH) as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            stage(wire, b"t", b"p")
            wire.ask(b"AT+CMQTTPUB=0,1,60", OK)
            wire.expect_nothing()
            stage(wire, b"u", b"q")
            wire.ask(b"AT+CMQTTPUB=0,1,60", b"\r\n+CMQTTPUB: 0,14\r\n" + ERROR)
            wire.ask(b"AT+CMQTTDISC=0", b"\r\n+CMQTTDISC: 0,14\r\n" + ERROR)
            broker.speak_again()
            wire.expect(b"\r\n+CMQTTPUB: 0,0\r\n")
            wire.ask(b"AT+CMQTTPUB=0,1,60", PUBLISHED)

    @pytest.mark.parametrize("command", [b"PUB=0,1,60", b"SUB=0,1,0\rt", b"UNSUB=0,1,0\rt"])
    def test_connection_lost_during_data_entry_fails_command(self, command: bytes) -> None:
        name, _, _ = command.partition(b"=")
        sent = {b"PUB": PUBLISH, b"SUB": SUBSCRIBE, b"UNSUB": UNSUBSCRIBE}[name]
        with ScriptedBroker(closes_on=sent) as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            stage(wire, b"t", b"p")
            wire.send(b"AT+CMQTT" + command + b"\r")
            wire.expect(OK if name == b"PUB" else b"\r\n>" + OK)
            wire.expect(b"\r\n+CMQTT%b: 0,6\r\n\r\n+CMQTTCONNLOST: 0,1\r\n" % name)
            wire.expect_nothing()


class TestUtf8:
    @pytest.mark.parametrize("command", [b"TOPIC=0,2", b"SUB=0,2,0", b"UNSUB=0,2,0"])
    def test_invalid_utf8_topic_is_refused_after_data(self, connected: Wire, command: bytes) -> None:
        name = command.partition(b"=")[0]
        connected.enter(b"AT+CMQTT" + command, b"\xff\xfe", b"\r\n+CMQTT%b: 0,2\r\n" % name + ERROR)

    def test_unchecked_topic_is_sent_and_received_unchanged(self) -> None:
        topic = b"\xff\xfe/\x80"
        with ScriptedBroker() as broker, acquired_on(address(broker)) as wire:
            wire.ok(b'AT+CMQTTCFG="checkUTF8",0,0')
            wire.enter(b"AT+CMQTTWILLTOPIC=0,2", b"\xfe\xff")
            wire.enter(b"AT+CMQTTWILLMSG=0,1,0", b"w")
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            assert broker.packets.get(timeout=30).body.endswith(b"\x00\x02\xfe\xff\x00\x01w")
            subscribe(wire, topic)
            assert broker.wait_for(SUBSCRIBE).filter == topic
            wire.enter(b"AT+CMQTTTOPIC=0,4", topic)
            wire.ask(b"AT+CMQTTPUB=0,1,60", OK)
            block = b"\r\n+CMQTTRXSTART: 0,4,0\r\n+CMQTTRXTOPIC: 0,4\r\n\xff\xfe/\x80\r\n+CMQTTRXEND: 0\r\n"
            result = b"\r\n+CMQTTPUB: 0,0\r\n"
            assert wire.read(len(block + result)) in (block + result, result + block)
            assert broker.wait_for(PUBLISH).topic == topic
            wire.enter(b"AT+CMQTTUNSUB=0,4,0", topic, UNSUBSCRIBED)
            assert broker.wait_for(UNSUBSCRIBE).filter == topic


class TestSubscribe:
    @pytest.mark.parametrize("qos", [0, 1, 2])
    def test_message_is_one_block(self, connected: Wire, host: HostClient, base: str, qos: int) -> None:
        topic = f"{base}/x".encode()
        subscribe(connected, topic, qos)
        host.publish(topic.decode(), b"\x00OK\r\n", qos)
        connected.expect(
            b"\r\n+CMQTTRXSTART: 0,%d,5\r\n+CMQTTRXTOPIC: 0,%d\r\n%b\r\n"
            b"+CMQTTRXPAYLOAD: 0,5\r\n\x00OK\r\n\r\n+CMQTTRXEND: 0\r\n" % (len(topic), len(topic), topic)
        )
        connected.expect_nothing()

    def test_subscription_is_shown_and_removed(self, connected: Wire, host: HostClient, base: str) -> None:
        connected.ask(b"AT+CMQTTSUB?", b"\r\n+CMQTTSUB:\r\n" + OK)
        topic = base.encode()
        subscribe(connected, b"OK")
        subscribe(connected, topic, 1)
        subscribe(connected, topic, 2)
        connected.ask(b"AT+CMQTTSUB?", b"\r\n+CMQTTSUB:\r\nOK\r\n%b\r\n" % topic + OK)
        connected.enter(b"AT+CMQTTUNSUB=0,%d,0" % len(topic), topic, UNSUBSCRIBED)
        connected.ask(b"AT+CMQTTSUB?", b"\r\n+CMQTTSUB:\r\nOK\r\n" + OK)
        host.subscribe(base)
        host.publish(base, b"for the second host")
        assert host.get().payload == b"for the second host"
        connected.expect_nothing()

    def test_retained_message_arrives_at_once(self, connected: Wire, host: HostClient, base: str) -> None:
        host.publish(base, b"kept", 1, retain=True)
        topic = base.encode()
        connected.enter(b"AT+CMQTTSUB=0,%d,1" % len(topic), topic, OK)
        block = b"\r\n+CMQTTRXSTART: 0,%d,4\r\n" % len(topic)
        answer = connected.read_until(b"RXEND: 0\r\n")
        assert block in answer
        if b"+CMQTTSUB" not in answer:
            connected.expect(b"\r\n+CMQTTSUB: 0,0\r\n")
        host.publish(base, b"", 1, retain=True)

    def test_subscription_refused_by_broker_fails(self) -> None:
        with ScriptedBroker(suback=0x80) as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            wire.enter(b"AT+CMQTTSUB=0,1,2", b"t", OK + b"\r\n+CMQTTSUB: 0,1\r\n")
            wire.ask(b"AT+CMQTTSUB?", b"\r\n+CMQTTSUB:\r\n" + OK)

    @pytest.mark.parametrize(("version", "flags"), [(3, 0b1010), (4, 0b0010)])
    def test_dup_flag_of_subscribe_exists_in_mqtt_3_1_only(self, version: int, flags: int) -> None:
        with ScriptedBroker() as broker, acquired_on(address(broker)) as wire:
            wire.ok(b'AT+CMQTTCFG="version",0,%d' % version)
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            wire.enter(b"AT+CMQTTSUB=0,1,2,1", b"t", SUBSCRIBED)
            assert broker.wait_for(SUBSCRIBE).flags == flags
            wire.enter(b"AT+CMQTTUNSUB=0,1,1", b"t", UNSUBSCRIBED)
            assert broker.wait_for(UNSUBSCRIBE).flags == flags

    def test_subscribe_without_topic_changes_nothing(self, connected: Wire) -> None:
        for parameters in (b"0", b"0,1"):
            connected.ask(b"AT+CMQTTSUB=" + parameters, SUBSCRIBED)
        connected.ask(b"AT+CMQTTUNSUB=0,0", UNSUBSCRIBED)
        connected.ask(b"AT+CMQTTSUB?", b"\r\n+CMQTTSUB:\r\n" + OK)

    @pytest.mark.parametrize("parameters", [b"0,5,3", b"0,5,0,2", b"2,5,0", b"0,2", b"0,5,0,0,0"])
    def test_bad_parameters(self, connected: Wire, parameters: bytes) -> None:
        connected.ask(b"AT+CMQTTSUB=" + parameters, ERROR)

    @pytest.mark.parametrize("length", [0, 1025])
    @pytest.mark.parametrize("name", [b"SUB", b"UNSUB"])
    def test_topic_length_out_of_range_is_refused(self, connected: Wire, name: bytes, length: int) -> None:
        connected.ask(b"AT+CMQTT%b=0,%d,0" % (name, length), b"\r\n+CMQTT%b: 0,22\r\n" % name + ERROR)


class TestBlocks:
    """Blocks of inbound messages from a scripted broker."""

    def blocks(self, topic: bytes, payload: bytes, size: int) -> bytes:
        with ScriptedBroker() as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            broker.publish(topic, payload)
            block = wire.read(size)
            wire.expect_nothing()
            return block

    def test_block_equals_recorded_example(self) -> None:
        topic, payload = b"v1/devices/me/rpc/request/abcdefghijkl", b'{"method":"on"}'
        assert self.blocks(topic, payload, 143) == (
            b"\r\n+CMQTTRXSTART: 0,38,15\r\n+CMQTTRXTOPIC: 0,38\r\nv1/devices/me/rpc/request/abcdefghijkl\r\n"
            b'+CMQTTRXPAYLOAD: 0,15\r\n{"method":"on"}\r\n+CMQTTRXEND: 0\r\n'
        )

    def test_empty_payload_has_no_part(self) -> None:
        expected = b"\r\n+CMQTTRXSTART: 0,9,0\r\n+CMQTTRXTOPIC: 0,9\r\nsimcommsg\r\n+CMQTTRXEND: 0\r\n"
        assert self.blocks(b"simcommsg", b"", len(expected)) == expected

    def test_payload_is_split_at_1500_bytes(self) -> None:
        payload = bytes(range(256)) * 40
        expected = b"\r\n+CMQTTRXSTART: 0,1,10240\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n"
        for start in range(0, 10_240, 1500):
            part = payload[start : start + 1500]
            expected += b"+CMQTTRXPAYLOAD: 0,%d\r\n%b\r\n" % (len(part), part)
        expected += b"+CMQTTRXEND: 0\r\n"
        assert self.blocks(b"t", payload, len(expected)) == expected

    def test_payload_of_exactly_one_part(self) -> None:
        payload = b"x" * 1500
        expected = b"\r\n+CMQTTRXSTART: 0,1,1500\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n"
        expected += b"+CMQTTRXPAYLOAD: 0,1500\r\n%b\r\n+CMQTTRXEND: 0\r\n" % payload
        assert self.blocks(b"t", payload, len(expected)) == expected

    def test_long_topic_is_split(self) -> None:
        topic = b"0123456789abcdef" * 64
        expected = (
            b"\r\n+CMQTTRXSTART: 0,1024,1\r\n+CMQTTRXTOPIC: 0,512\r\n%b\r\n+CMQTTRXTOPIC: 0,512\r\n%b\r\n"
            b"+CMQTTRXPAYLOAD: 0,1\r\np\r\n+CMQTTRXEND: 0\r\n" % (topic[:512], topic[512:])
        )
        assert self.blocks(topic, b"p", len(expected)) == expected

    def test_oversized_message_is_dropped_with_warning(self, caplog: pytest.LogCaptureFixture) -> None:
        assert self.blocks(b"t", b"x" * 10_241, 0) == b""
        assert "topic of 1 and a payload of 10241 bytes" in caplog.text

    def test_invalid_mqtt_bytes_end_connection(self) -> None:
        with ScriptedBroker() as broker, acquired_on(address(broker)) as wire:
            wire.ask(b"AT+CMQTTCONNECT=0,%b,60,1" % ADDRESS, connect_result(0))
            for connection in list(broker._connections):
                connection.sendall(b"\x30\x01\x00")
            wire.expect(b"\r\n+CMQTTCONNLOST: 0,1\r\n")
            wire.expect_nothing()


class TestSlowHost:
    """A host that does not read while messages arrive."""

    def test_slow_host_receives_all_in_order(self, connected: Wire, host: HostClient, base: str) -> None:
        subscribe(connected, base.encode(), 1)
        count, size = 400, 3000
        for number in range(count):
            host.publish(base, b"%04d" % number * (size // 4))
        for number in range(count):
            block = connected.read_until(b"+CMQTTRXEND: 0\r\n")
            assert block.count(b"%04d" % number) >= size // 4

    def test_slow_host_throttles_broker(
        self, module: SimulatedModem, connected: Wire, host: HostClient, base: str
    ) -> None:
        subscribe(connected, base.encode(), 1)
        for _ in range(100):
            host.publish(base, bytes(10_000), 1)
        assert module._loop.call(lambda: module._line.waiting) < 200_000
        for _ in range(100):
            connected.read_until(b"+CMQTTRXEND: 0\r\n")
        connected.expect_nothing()


def test_module_survives_internal_error(
    connected: Wire,
    host: HostClient,
    base: str,
    monkeypatch: pytest.MonkeyPatch,
    internal_errors: list[str],
) -> None:
    def broken(profile: Profile, index: int, topic: bytes, payload: bytes) -> list[bytes]:
        assert payload != b"lost"
        return block_parts(profile, index, topic, payload)

    monkeypatch.setattr(module_file, "block_parts", broken)
    subscribe(connected, base.encode(), 1)
    host.publish(base, b"lost", 1)
    host.publish(base, b"lost", 1)
    host.publish(base, b"heard", 1)
    assert b"heard" in connected.read_until(b"+CMQTTRXEND: 0\r\n")
    internal_errors += 2 * ["internal error of the simulated module in a callback of paho-mqtt"]


def test_two_clients_work_at_once(connected: Wire, host: HostClient, base: str) -> None:
    connected.ok(b'AT+CMQTTACCQ=1,"%b-1"' % base.encode())
    connected.ask(b"AT+CMQTTCONNECT=1,%b,60,1" % ADDRESS, OK + b"\r\n+CMQTTCONNECT: 1,0\r\n")
    first, second = f"{base}/0".encode(), f"{base}/1".encode()
    subscribe(connected, first)
    connected.enter(b"AT+CMQTTSUB=1,%d,0" % len(second), second, OK + b"\r\n+CMQTTSUB: 1,0\r\n")
    connected.ask(b"AT+CMQTTSUB?", b"\r\n+CMQTTSUB:\r\n%b\r\n%b\r\n" % (first, second) + OK)
    connected.enter(b"AT+CMQTTTOPIC=1,%d" % len(first), first)
    connected.enter(b"AT+CMQTTTOPIC=0,%d" % len(second), second)
    connected.ask(b"AT+CMQTTPUB=1,0,60", OK + b"\r\n+CMQTTPUB: 1,0\r\n")
    length = len(first)
    block = b"\r\n+CMQTTRXSTART: %d,%d,0\r\n+CMQTTRXTOPIC: %d,%d\r\n%b\r\n+CMQTTRXEND: %d\r\n"
    connected.expect(block % (0, length, 0, length, first, 0))
    connected.ask(b"AT+CMQTTPUB=0,0,60", PUBLISHED)
    connected.expect(block % (1, length, 1, length, second, 1))
