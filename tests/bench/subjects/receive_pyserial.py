"""`python -m subjects.receive_pyserial PORT COUNT readline|in_waiting`: each message to a Python callback."""

import sys

from subjects.common import now, tell, wait_for_start
from subjects.pyserial_driver import PyserialDriver


def main() -> None:
    port, count, reading = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    driver = PyserialDriver(port, reading)
    received = 0

    def on_message(_topic: bytes, _payload: bytes) -> None:
        nonlocal received
        received += 1

    wait_for_start()
    while received < count:
        on_message(*driver.read_message())
    tell(ended_ns=now())


main()
