"""Software flow control takes two byte values for itself."""

import pytest

from simcom_mqtt import SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem


@pytest.mark.parametrize(("topic", "payload"), [("dut", b"a\x11"), ("dut", b"\x13b"), ("d\x11ut", b"a")])
def test_publish_of_a_flow_control_byte_is_a_value_error(
    simulator: SimulatedModem, broker_url: str, topic: str, payload: bytes
) -> None:
    with SimcomMqtt(simulator.port, flow_control="software") as modem, modem.connect(broker_url) as client:
        written = modem.stats.bytes_out
        with pytest.raises(ValueError, match=r"0x11, 0x13.*flow_control"):
            client.publish(topic, payload, qos=1)
        with pytest.raises(ValueError, match="0x11, 0x13"):
            client.publish_nowait(topic, payload)
        assert modem.stats.bytes_out == written
        client.publish("dut", b"a\x12b", qos=1)


def test_publish_of_every_byte_succeeds_without_flow_control(
    simulator: SimulatedModem, broker_url: str
) -> None:
    with SimcomMqtt(simulator.port) as modem, modem.connect(broker_url) as client:
        client.publish("dut", bytes(range(256)), qos=1)
