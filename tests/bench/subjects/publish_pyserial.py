"""`python -m subjects.publish_pyserial PORT COUNT PAYLOAD_SIZE BAUDRATE readline|in_waiting [computing]`."""

import sys

from subjects.common import TOPIC, measure_publishes
from subjects.pyserial_driver import PyserialDriver


def main() -> None:
    port, count, size, baudrate = sys.argv[1], *map(int, sys.argv[2:5])
    payload = b"x" * size
    driver = PyserialDriver(port, sys.argv[5], baudrate)
    measure_publishes(
        lambda: driver.publish(TOPIC.encode(), payload, 1), count, computing="computing" in sys.argv
    )


main()
