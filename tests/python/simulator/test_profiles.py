"""Firmware profiles: the order of answers, prompts, blocks and codes of each."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scripted_broker import CONNECT as CONNECT_PACKET
from scripted_broker import PINGREQ, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, ScriptedBroker
from simcom_mqtt.simulator import PROFILES, AnswerOrder, Profile, SimulatedModem
from simulator.wire import Wire

OK = b"\r\nOK\r\n"
ERROR = b"\r\nERROR\r\n"
BOOT = [
    b"+CPIN: READY",
    b'*ISIMAID: "A0000000871004"',
    b'+MSTK: 11, "D08E810301250082028182"',
    b"SMS DONE",
    b"+CGEV: EPS PDN ACT 1",
    b"PB DONE",
]
CONNECT = b'AT+CMQTTCONNECT=0,"tcp://host.example",60,1'


@contextmanager
def started(profile: str | Profile, broker: ScriptedBroker | None = None) -> Iterator[Wire]:
    """A raw host on a module of that firmware, service started, client 0 acquired and connected."""
    address = None if broker is None else broker.url.removeprefix("mqtt://")
    with SimulatedModem(profile=profile, broker=address) as module, Wire(module.port) as wire:
        wire.send(b"ATE0\rAT+CMQTTSTART\r")
        wire.read_until(b"+CMQTTSTART: 0\r\n")
        if profile == "sim7600":
            wire.expect(OK)
        if broker is not None:
            wire.ok(b'AT+CMQTTACCQ=0,"device"')
            wire.ask(CONNECT, OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")
        yield wire


def test_unknown_profile_is_refused() -> None:
    with pytest.raises(ValueError, match="profile must be one of sim767x, a76xx, sim7600, not 'sim800'"):
        SimulatedModem(profile="sim800")


@pytest.mark.parametrize(
    ("profile", "boot"),
    [
        ("sim767x", [b"QCRDY", *BOOT]),
        ("a76xx", [b"*ATREADY: 1", *BOOT]),
        ("sim7600", [b"RDY", *BOOT]),
    ],
)
def test_reboot_sends_boot_lines(profile: str, boot: list[bytes]) -> None:
    with SimulatedModem(profile=profile) as module, Wire(module.port) as wire:
        module.reboot()
        wire.expect(b"".join(b"\r\n" + line + b"\r\n" for line in boot))
        wire.ask(b"AT", b"AT\r" + OK)


class TestA76xx:
    def test_failed_connect_has_result_before_error(self) -> None:
        with ScriptedBroker() as broker, started("a76xx", broker) as wire:
            wire.ask(CONNECT, b"\r\n+CMQTTCONNECT: 0,19\r\n" + ERROR)
            wire.ok(b'AT+CMQTTACCQ=1,"second"')
            broker.connack = 5
            wire.ask(CONNECT.replace(b"=0", b"=1"), b"\r\n+CMQTTCONNECT: 1,31\r\n" + ERROR)

    def test_second_acquire_is_bare_error(self) -> None:
        with ScriptedBroker() as broker, started("a76xx", broker) as wire:
            wire.ask(b'AT+CMQTTACCQ=0,"again"', ERROR)

    def test_disc_has_ok_before_result(self) -> None:
        with ScriptedBroker() as broker, started("a76xx", broker) as wire:
            wire.ask(b"AT+CMQTTDISC=0,1", OK + b"\r\n+CMQTTDISC: 0,0\r\n")
            wire.ask(b"AT+CMQTTDISC=0", b"\r\n+CMQTTDISC: 0,11\r\n" + ERROR)

    def test_payload_of_10240_bytes_is_accepted_without_echo(self) -> None:
        with ScriptedBroker() as broker, started("a76xx", broker) as wire:
            wire.ask(b"AT+CMQTTPAYLOAD=?", b"\r\n+CMQTTPAYLOAD: (0-1),(1-10240)\r\n" + OK)
            wire.ok(b"ATE1")
            command = b"AT+CMQTTPAYLOAD=0,10240"
            wire.ask(command, command + b"\r\r\n>")
            wire.send(b"x" * 10_240)
            wire.expect(OK)

    def test_long_topic_is_one_part(self) -> None:
        topic = b"t" * 1024
        with ScriptedBroker() as broker, started("a76xx", broker) as wire:
            broker.publish(topic, b"p")
            wire.expect(
                b"\r\n+CMQTTRXSTART: 0,1024,1\r\n+CMQTTRXTOPIC: 0,1024\r\n%b\r\n"
                b"+CMQTTRXPAYLOAD: 0,1\r\np\r\n+CMQTTRXEND: 0\r\n" % topic
            )

    def test_topic_lists_are_staged_and_used(self) -> None:
        with ScriptedBroker() as broker, started("a76xx", broker) as wire:
            wire.ask(b"AT+CMQTTSUB=0", b"\r\n+CMQTTSUB: 0,18\r\n" + ERROR)
            wire.enter(b"AT+CMQTTSUBTOPIC=0,1,1", b"a")
            wire.enter(b"AT+CMQTTSUBTOPIC=0,1,2", b"b")
            wire.ask(b"AT+CMQTTSUB=0", OK + b"\r\n+CMQTTSUB: 0,0\r\n")
            subscribed = [broker.wait_for(SUBSCRIBE) for _ in range(2)]
            assert [(packet.filter, packet.body[-1]) for packet in subscribed] == [(b"a", 1), (b"b", 2)]
            wire.ask(b"AT+CMQTTSUB=0", b"\r\n+CMQTTSUB: 0,18\r\n" + ERROR)
            wire.enter(b"AT+CMQTTUNSUBTOPIC=0,1", b"a")
            wire.ask(b"AT+CMQTTUNSUB=0,0", OK + b"\r\n+CMQTTUNSUB: 0,0\r\n")
            assert broker.wait_for(UNSUBSCRIBE).filter == b"a"
            wire.ask(b"AT+CMQTTSUB?", b"\r\n+CMQTTSUB:\r\nb\r\n" + OK)

    def test_timeouts_start_at_one_second(self) -> None:
        with ScriptedBroker() as broker, started("a76xx", broker) as wire:
            wire.ask(b"AT+CMQTTPUB=?", b"\r\n+CMQTTPUB: (0-1),(0-2),(1-180),(0-1),(0-1)\r\n" + OK)
            wire.ask(b"AT+CMQTTDISC=?", b"\r\n+CMQTTDISC: (0-1),(0, 1-180)\r\n" + OK)
            wire.enter(b"AT+CMQTTTOPIC=0,1", b"t")
            wire.ask(b"AT+CMQTTPUB=0,0,1", OK + b"\r\n+CMQTTPUB: 0,0\r\n")
            wire.ask(b"AT+CMQTTPUB=0,0,0", ERROR)

    def test_failed_operation_holds_the_channel_until_its_outcome(self) -> None:
        with ScriptedBroker(silent_on=CONNECT_PACKET) as broker, started("a76xx") as wire:
            address = broker.url.removeprefix("mqtt://").encode()
            wire.ok(b'AT+CMQTTACCQ=0,"device"')
            wire.send(b'AT+CMQTTCONNECT=0,"tcp://%b",60,1\rAT\r' % address)
            broker.wait_for(CONNECT_PACKET)
            broker.close_connections()
            wire.expect(b"\r\n+CMQTTCONNECT: 0,26\r\n" + ERROR + OK)


class TestTopicArguments:
    """AT+CMQTTCFG="argtopic" of a76xx: topics are quoted parameters."""

    SETTING = b'AT+CMQTTCFG="argtopic",0,1,1'

    @pytest.fixture
    def broker(self) -> Iterator[ScriptedBroker]:
        with ScriptedBroker() as broker:
            yield broker

    @pytest.fixture
    def wire(self, broker: ScriptedBroker) -> Iterator[Wire]:
        with started("a76xx") as wire:
            wire.ok(b'AT+CMQTTACCQ=0,"device"')
            wire.ok(self.SETTING)
            address = broker.url.removeprefix("mqtt://").encode()
            wire.ask(b'AT+CMQTTCONNECT=0,"tcp://%b",60,1' % address, OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")
            yield wire

    def test_publish_takes_topic_qos_and_length(self, broker: ScriptedBroker, wire: Wire) -> None:
        wire.enter(b'AT+CMQTTPUB=0,"a/b",1,5', b"x\r\ny\x1a", OK + b"\r\n+CMQTTPUB: 0,0\r\n")
        packet = broker.wait_for(PUBLISH)
        assert (packet.topic, packet.payload, packet.qos) == (b"a/b", b"x\r\ny\x1a", 1)

    def test_subscribe_and_unsubscribe_take_the_topic(self, broker: ScriptedBroker, wire: Wire) -> None:
        wire.ask(b'AT+CMQTTSUB=0,"a/#",1', OK + b"\r\n+CMQTTSUB: 0,0\r\n")
        packet = broker.wait_for(SUBSCRIBE)
        assert (packet.filter, packet.body[-1]) == (b"a/#", 1)
        wire.ask(b'AT+CMQTTUNSUB=0,"a/#"', OK + b"\r\n+CMQTTUNSUB: 0,0\r\n")
        assert broker.wait_for(UNSUBSCRIBE).filter == b"a/#"

    def test_message_is_one_line(self, broker: ScriptedBroker, wire: Wire) -> None:
        broker.publish(b"a/b", b'{"on": 1}')
        wire.expect(b'\r\n+CMQTTRECV: 0,"a/b",9,"{"on": 1}"\r\n')
        broker.publish(b"a/b", b"")
        wire.expect(b'\r\n+CMQTTRECV: 0,"a/b",0,""\r\n')

    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            (b"AT+CMQTTPUB=0,0,60", ERROR),
            (b'AT+CMQTTPUB=0,"",0,1', b"\r\n+CMQTTPUB: 0,22\r\n" + ERROR),
            (b'AT+CMQTTPUB=0,"t",0,0', b"\r\n+CMQTTPUB: 0,22\r\n" + ERROR),
            (b'AT+CMQTTPUB=0,"t",0,10241', b"\r\n+CMQTTPUB: 0,22\r\n" + ERROR),
            (b'AT+CMQTTPUB=0,"\xff",0,1', b"\r\n+CMQTTPUB: 0,2\r\n" + ERROR),
            (b"AT+CMQTTSUB=0,1,0", ERROR),
            (b'AT+CMQTTSUB=0,"",0', b"\r\n+CMQTTSUB: 0,22\r\n" + ERROR),
        ],
    )
    def test_bad_parameters(self, wire: Wire, command: bytes, answer: bytes) -> None:
        wire.ask(command, answer)

    def test_release_ends_the_setting(self, broker: ScriptedBroker, wire: Wire) -> None:
        wire.ask(b"AT+CMQTTDISC=0", OK + b"\r\n+CMQTTDISC: 0,0\r\n")
        wire.ok(b"AT+CMQTTREL=0")
        wire.ok(b'AT+CMQTTACCQ=0,"device"')
        address = broker.url.removeprefix("mqtt://").encode()
        wire.ask(b'AT+CMQTTCONNECT=0,"tcp://%b",60,1' % address, OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")
        wire.ask(b'AT+CMQTTSUB=0,"a",1', ERROR)

    def test_other_firmware_does_not_know_the_setting(self) -> None:
        for profile in ("sim767x", "sim7600"):
            with started(profile) as wire:
                wire.ok(b'AT+CMQTTACCQ=0,"device"')
                wire.ask(self.SETTING, ERROR)


class TestSim7600:
    def test_version_is_a_parameter_of_accq(self) -> None:
        with ScriptedBroker() as broker, started("sim7600") as wire:
            address = broker.url.removeprefix("mqtt://").encode()
            for version, name in ((3, b"MQIsdp"), (4, b"MQTT")):
                wire.ok(b'AT+CMQTTACCQ=0,"device",0,%d' % version)
                wire.ask(b'AT+CMQTTCONNECT=0,"tcp://%b",60,1' % address, OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")
                assert name in broker.wait_for(CONNECT_PACKET).body
                wire.ask(b"AT+CMQTTDISC=0", b"\r\n+CMQTTDISC: 0,0\r\n" + OK)
                wire.ok(b"AT+CMQTTREL=0")

    def test_version_is_no_setting_of_cfg(self) -> None:
        with started("sim7600") as wire:
            wire.ok(b'AT+CMQTTACCQ=0,"device"')
            wire.ask(b'AT+CMQTTCFG="version",0,4', ERROR)
            wire.ask(
                b"AT+CMQTTCFG=?",
                b'\r\n+CMQTTCFG: "checkUTF8",(0-1),(0-1)\r\n+CMQTTCFG: "optimeout ",(0-1),(20-120)\r\n' + OK,
            )

    def test_service_has_result_before_final(self) -> None:
        with started("sim7600") as wire:
            wire.ask(b"AT+CMQTTSTART", b"\r\n+CMQTTSTART: 23\r\n" + ERROR)
            wire.ok(b'AT+CMQTTACCQ=0,"device"')
            wire.ask(b"AT+CMQTTSTOP", b"\r\n+CMQTTSTOP: 21\r\n" + ERROR)
            wire.ok(b"AT+CMQTTREL=0")
            wire.ask(b"AT+CMQTTSTOP", b"\r\n+CMQTTSTOP: 0\r\n" + OK)
            wire.ask(b"AT+CMQTTSTART", b"\r\n+CMQTTSTART: 0\r\n" + OK)

    def test_second_connect_fails_with_13(self) -> None:
        with ScriptedBroker() as broker, started("sim7600", broker) as wire:
            wire.ask(CONNECT, b"\r\n+CMQTTCONNECT: 0,13\r\n" + ERROR)

    def test_prompt_has_blank_and_blocks_have_blank_lines(self) -> None:
        with ScriptedBroker() as broker, started("sim7600", broker) as wire:
            wire.ask(b"AT+CMQTTTOPIC=0,1", b"\r\n> ")
            wire.send(b"t")
            wire.expect(OK)
            broker.publish(b"topic!", b"eighteen bytes, ok")
            wire.expect(
                b"\r\n+CMQTTRXSTART: 0,6,18\r\n\r\n+CMQTTRXTOPIC: 0,6\r\ntopic!\r\n"
                b"\r\n+CMQTTRXPAYLOAD: 0,18\r\neighteen bytes, ok\r\n\r\n+CMQTTRXEND: 0\r\n"
            )

    def test_topic_is_split_at_256_bytes(self) -> None:
        with ScriptedBroker() as broker, started("sim7600", broker) as wire:
            broker.publish(b"t" * 300, b"")
            wire.expect(
                b"\r\n+CMQTTRXSTART: 0,300,0\r\n\r\n+CMQTTRXTOPIC: 0,256\r\n%b\r\n"
                b"\r\n+CMQTTRXTOPIC: 0,44\r\n%b\r\n\r\n+CMQTTRXEND: 0\r\n" % (b"t" * 256, b"t" * 44)
            )

    def test_failed_keepalive_is_reported(self) -> None:
        with ScriptedBroker(silent_on=PINGREQ) as broker, started("sim7600", broker) as wire:
            wire.ask(b"AT+CMQTTDISC=0", b"\r\n+CMQTTDISC: 0,0\r\n" + OK)
            wire.ask(CONNECT.replace(b",60,", b",1,"), OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")
            wire.expect(b"\r\n+CMQTTPING: 0,17\r\n\r\n+CMQTTCONNLOST: 0,1\r\n")


def test_order_can_differ_between_success_and_failure() -> None:
    order = AnswerOrder(success=("final", "result"), failure=("final", "result"), holds_channel=True)
    profile = dataclasses.replace(
        PROFILES["sim767x"], orders={**PROFILES["sim767x"].orders, "CMQTTCONNECT": order}
    )
    with ScriptedBroker(connack=5) as broker, started(profile) as wire:
        wire.ok(b'AT+CMQTTACCQ=0,"device"')
        command = b'AT+CMQTTCONNECT=0,"tcp://%b",60,1' % broker.url.removeprefix("mqtt://").encode()
        wire.ask(command, ERROR + b"\r\n+CMQTTCONNECT: 0,31\r\n")
        broker.connack = 0
        wire.ask(command, OK + b"\r\n+CMQTTCONNECT: 0,0\r\n")


def test_custom_profile_is_used() -> None:
    profile = dataclasses.replace(PROFILES["sim767x"], name="mine", prompt=b"\r\n>\r\n", payload_part_size=2)
    with ScriptedBroker() as broker, started(profile, broker) as wire:
        wire.ask(b"AT+CMQTTTOPIC=0,1", b"\r\n>\r\n")
        wire.send(b"t")
        wire.expect(OK)
        broker.publish(b"t", b"abc")
        wire.expect(
            b"\r\n+CMQTTRXSTART: 0,1,3\r\n+CMQTTRXTOPIC: 0,1\r\nt\r\n+CMQTTRXPAYLOAD: 0,2\r\nab\r\n"
            b"+CMQTTRXPAYLOAD: 0,1\r\nc\r\n+CMQTTRXEND: 0\r\n"
        )
