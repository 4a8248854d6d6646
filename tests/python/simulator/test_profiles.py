"""Firmware profiles: the order of answers, prompts, blocks and codes of each."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from scripted_broker import PINGREQ, SUBSCRIBE, UNSUBSCRIBE, ScriptedBroker
from simcom_mqtt.simulator import PROFILES, Profile, SimulatedModem
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


class TestSim7600:
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
