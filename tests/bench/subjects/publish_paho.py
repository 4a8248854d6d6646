"""`python -m subjects.publish_paho BROKER_PORT COUNT PAYLOAD_SIZE`: QoS 0, as fast as it can."""

import sys

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from subjects.common import TOPIC, now, tell, wait_for_start


def main() -> None:
    port, count, size = map(int, sys.argv[1:4])
    client = Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    wait_for_start()
    payload = b"x" * size
    for _ in range(count):
        last = client.publish(TOPIC, payload)
    last.wait_for_publish()
    tell(ended_ns=now())
    client.loop_stop()


main()
