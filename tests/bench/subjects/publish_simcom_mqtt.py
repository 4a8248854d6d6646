"""`python -m subjects.publish_simcom_mqtt PORT COUNT PAYLOAD_SIZE BAUDRATE [computing]`."""

import sys

from simcom_mqtt import SimcomMqtt
from subjects.common import TOPIC, connected, measure_publishes


def main() -> None:
    port, count, size, baudrate = sys.argv[1], *map(int, sys.argv[2:5])
    payload = b"x" * size
    with SimcomMqtt(port, baudrate) as modem, connected(modem) as client:
        measure_publishes(
            lambda: client.publish(TOPIC, payload, qos=1), count, computing="computing" in sys.argv
        )


main()
