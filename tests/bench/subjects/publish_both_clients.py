"""`python -m subjects.publish_both_clients PORT COUNT`: two threads, a client each."""

import sys
import threading
from typing import Literal

from simcom_mqtt import SimcomMqtt
from subjects.common import TOPIC, connected, now, tell, wait_for_start


def main() -> None:
    port, count = sys.argv[1], int(sys.argv[2])
    with SimcomMqtt(port) as modem:
        indices: list[Literal[0, 1]] = [0, 1]
        clients = [connected(modem, index) for index in indices]
        clients[0].publish(TOPIC, b"warm-up")

        def publish_all(index: int) -> None:
            for _ in range(count):
                clients[index].publish(TOPIC, b"x" * 64, qos=1)

        threads = [threading.Thread(target=publish_all, args=(index,)) for index in range(2)]
        wait_for_start()
        began = now()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        tell(began_ns=began, ended_ns=now())


main()
