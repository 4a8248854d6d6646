"""`python -m subjects.dispatch_simcom_mqtt PORT COUNT`: callbacks from a queue that is full when they begin.

The first callback waits until all messages are in the queue, so that only the dispatcher is at work after it.
"""

import sys
import threading

from simcom_mqtt import Message, SimcomMqtt
from subjects.common import connected, now, tell, wait_for_start


def main() -> None:
    port, count = sys.argv[1], int(sys.argv[2])
    remaining = count
    all_queued, done = threading.Event(), threading.Event()

    def count_down(_: Message) -> None:
        nonlocal remaining
        remaining -= 1
        if not remaining:
            done.set()

    def wait_first(message: Message) -> None:
        client.on_message = count_down
        count_down(message)
        all_queued.wait()

    with SimcomMqtt(port, queue_size=count) as modem, connected(modem) as client:
        client.on_message = wait_first
        wait_for_start()
        while modem.stats.messages < count:
            all_queued.wait(0.01)
        began = now()
        all_queued.set()
        done.wait()
        tell(began_ns=began, ended_ns=now())


main()
