"""`python -m subjects.recover_simcom_mqtt PORT TOPIC`: a publish during a fault, and the messages around it.

Reports when the publish was done, and the time stamp and the time of arrival of each message. Ends when the
publish is done and a message has arrived that was sent after the start.
"""

import sys
import threading

from simcom_mqtt import Message, Reconnect, SimcomMqtt
from subjects.common import now, tell, wait_for_start

TIMEOUT = 120


def main() -> None:
    port, topic = sys.argv[1:3]
    sent: list[int] = []
    arrived: list[int] = []
    changed = threading.Condition()

    def record(message: Message) -> None:
        with changed:
            sent.append(int(message.payload))
            arrived.append(now())
            changed.notify()

    with SimcomMqtt(port) as modem:
        client = modem.connect("mqtt://broker.invalid", client_id="bench", reconnect=Reconnect())
        client.subscribe(topic, callback=record)
        client.publish(f"{topic}/up", b"x" * 64, qos=1)
        with changed:
            changed.wait_for(lambda: bool(sent), TIMEOUT)
        wait_for_start()
        began = now()
        client.publish(f"{topic}/up", b"x" * 64, qos=1, timeout=TIMEOUT)
        published = now()
        with changed:
            changed.wait_for(lambda: sent[-1] > began, TIMEOUT)
        tell(published_ns=published, sent_ns=sent, arrived_ns=arrived)


main()
