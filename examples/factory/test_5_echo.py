"""Echo: a message gets from the host to the module and back, at each quality of service."""

from typing import Any

import pytest

from pytest_simcom_mqtt import HostClient
from simcom_mqtt import Message, MqttClient, QoS

PAYLOAD = bytes(range(256)) + b"\r\nOK\r\n"


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_echo(
    simcom_client: MqttClient,
    simcom_host: HostClient,
    simcom_topic_prefix: str,
    limits: dict[str, Any],
    qos: QoS,
) -> None:
    """The host sends a question, the module answers with the same bytes."""
    question, answer = f"{simcom_topic_prefix}/question", f"{simcom_topic_prefix}/answer"

    def reply(message: Message) -> None:
        simcom_client.publish(answer, message.payload, qos=qos)

    simcom_client.subscribe(question, qos=qos, callback=reply)
    simcom_host.subscribe(answer, qos=2)
    with simcom_host.capture(answer) as inbox:
        simcom_host.publish(question, PAYLOAD, qos=qos)
        received = inbox.get(timeout=limits["echo"]["timeout"])

    assert received.payload == PAYLOAD
    assert received.qos == qos
