"""While one client waits for its broker, the other client and plain AT commands work."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from scripted_broker import CONNECT, PUBLISH, SUBSCRIBE, ScriptedBroker
from simcom_mqtt import Message, ResultCode, SimcomMqtt
from simcom_mqtt.errors import MqttError


def test_other_client_works_during_a_slow_connect(modem: SimcomMqtt, broker_url: str, base: str) -> None:
    with ScriptedBroker(silent_on=CONNECT) as slow, ThreadPoolExecutor(1) as pool:
        modem.start()
        waiting = modem.acquire("slow", 0)
        other = modem.connect(broker_url, index=1)
        connecting = pool.submit(waiting.connect, slow.url)
        slow.wait_for(CONNECT)

        started = time.monotonic()
        other.subscribe(f"{base}/#", 1)
        with other.capture() as inbox:
            for number in range(20):
                other.publish(f"{base}/{number}", b"", 1)
                assert modem.signal_quality().raw
            assert inbox.wait_count(20) == [Message(f"{base}/{number}", b"", 1) for number in range(20)]

        assert time.monotonic() - started < 5
        assert not connecting.done()
        assert not waiting.is_connected()
        slow.speak_again()
        connecting.result(30)
        assert waiting.is_connected()
        waiting.disconnect()


@pytest.mark.parametrize("packet_type", [PUBLISH, SUBSCRIBE])
def test_other_client_works_during_a_slow_operation(
    modem: SimcomMqtt, broker_url: str, base: str, packet_type: int
) -> None:
    with ScriptedBroker(silent_on=packet_type) as slow, ThreadPoolExecutor(1) as pool:
        waiting = modem.connect(slow.url, index=0)
        other = modem.connect(broker_url, index=1)
        if packet_type == PUBLISH:
            operation = pool.submit(waiting.publish, "a/b", b"", 1)
        else:
            operation = pool.submit(waiting.subscribe, "a/b", 1)
        slow.wait_for(packet_type)

        for number in range(10):
            other.publish(f"{base}/{number}", b"x" * 1000, 2)
            assert modem.command("AT") == []

        assert not operation.done()
        slow.speak_again()
        operation.result(30)
        waiting.disconnect()


def test_refusal_goes_to_its_own_client(modem: SimcomMqtt, broker_url: str, base: str) -> None:
    with ScriptedBroker(silent_on=CONNECT, connack=5) as slow, ThreadPoolExecutor(1) as pool:
        modem.start()
        refused = modem.acquire("refused", 0)
        other = modem.connect(broker_url, index=1)
        connecting = pool.submit(refused.connect, slow.url)
        slow.wait_for(CONNECT)

        slow.speak_again()
        other.publish(base, b"undisturbed", 2)

        error = connecting.exception(30)
        assert isinstance(error, MqttError)
        assert (error.code, error.client_index) == (ResultCode.REFUSED_NOT_AUTHORIZED, 0)
        assert other.is_connected()
