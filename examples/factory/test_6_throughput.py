"""Throughput: a marginal signal or a wrong baud rate shows here."""

import time
from collections.abc import Callable
from typing import Any

from simcom_mqtt import MqttClient


def test_throughput(
    simcom_client: MqttClient,
    simcom_topic_prefix: str,
    limits: dict[str, Any],
    record_property: Callable[[str, object], None],
) -> None:
    """Measures payload bytes per second at QoS 1, each message confirmed by the broker."""
    count, size = limits["throughput"]["messages"], limits["throughput"]["payload"]

    began = time.monotonic()
    futures = [
        simcom_client.publish_nowait(simcom_topic_prefix, bytes([number % 256]) * size, qos=1)
        for number in range(count)
    ]
    for future in futures:
        future.result(timeout=60)
    rate = round(count * size / (time.monotonic() - began))

    record_property("bytes_per_second", rate)
    minimum = limits["throughput"]["minimum"]
    assert rate >= minimum, f"{rate} bytes a second, the limit {minimum}: see signal and baud rate"
