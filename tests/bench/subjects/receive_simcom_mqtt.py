"""`python -m subjects.receive_simcom_mqtt PORT COUNT`: each message to a Python callback."""

import sys
import threading

from simcom_mqtt import Message, SimcomMqtt
from subjects.common import connected, now, tell, wait_for_start


def main() -> None:
    port, count = sys.argv[1], int(sys.argv[2])
    remaining = count
    done = threading.Event()

    def count_down(_: Message) -> None:
        nonlocal remaining
        remaining -= 1
        if not remaining:
            done.set()

    with SimcomMqtt(port, queue_size=count) as modem, connected(modem) as client:
        client.on_message = count_down
        wait_for_start()
        done.wait()
        tell(ended_ns=now(), dropped=modem.stats.dropped_messages, peak=modem.stats.queue_peak)


main()
