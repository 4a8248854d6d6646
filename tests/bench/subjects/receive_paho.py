"""`python -m subjects.receive_paho BROKER_PORT COUNT`: each message to a callback of paho-mqtt."""

import sys
import threading

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from subjects.common import TOPIC, now, tell, wait_for_start


def main() -> None:
    port, count = int(sys.argv[1]), int(sys.argv[2])
    remaining = count
    first = 0
    subscribed, done = threading.Event(), threading.Event()

    def count_down(_client: Client, _data: object, _message: MQTTMessage) -> None:
        nonlocal remaining, first
        first = first or now()
        remaining -= 1
        if not remaining:
            done.set()

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_message = count_down
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", port)
    client.loop_start()
    client.subscribe(TOPIC)
    subscribed.wait()
    wait_for_start()
    done.wait()
    tell(began_ns=first, ended_ns=now())
    client.loop_stop()


main()
