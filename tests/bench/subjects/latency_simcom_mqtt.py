"""`python -m subjects.latency_simcom_mqtt PORT COUNT`: from a message's stamp to its callback, when idle."""

import sys
import threading

from simcom_mqtt import Message, SimcomMqtt
from subjects.common import connected, now, tell, wait_for_start

STAMP_DIGITS = 20


def main() -> None:
    port, count = sys.argv[1], int(sys.argv[2])
    latencies: list[int] = []
    done = threading.Event()

    def note(message: Message) -> None:
        entered = now()
        latencies.append(entered - int(message.payload[:STAMP_DIGITS]))
        if len(latencies) == count:
            done.set()

    with SimcomMqtt(port) as modem, connected(modem) as client:
        client.on_message = note
        wait_for_start()
        done.wait()
        tell(latencies_ns=latencies)


main()
