"""`python -m subjects.publish_nowait PORT COUNT`: all queued at once, then waited for."""

import sys

from simcom_mqtt import SimcomMqtt
from subjects.common import TOPIC, connected, now, tell, wait_for_start


def main() -> None:
    port, count = sys.argv[1], int(sys.argv[2])
    with SimcomMqtt(port) as modem, connected(modem) as client:
        client.publish(TOPIC, b"warm-up")
        wait_for_start()
        began = now()
        futures = [client.publish_nowait(TOPIC, b"x" * 64, qos=1) for _ in range(count)]
        for future in futures:
            future.result()
        tell(began_ns=began, ended_ns=now())


main()
