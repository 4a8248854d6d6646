"""`python -m subjects.publish_atlib PORT COUNT PAYLOAD_SIZE BAUDRATE`: with what atlib offers to the public.

It looks for answers every 10 ms, decodes all it reads as UTF-8, and so can receive text only.
"""

import sys

from atlib.AT_Device import AT_Device

from subjects.common import TOPIC, measure_publishes


def main() -> None:
    port, count, size, baudrate = sys.argv[1], *map(int, sys.argv[2:5])
    device = AT_Device(port, baudrate)
    payload = "x" * size

    def enter(command: str, data: str) -> None:
        device.write(command)
        device.read(stopterm=">")
        device.write(data, endline=False)
        if "OK" not in device.read():
            raise RuntimeError(f"{command} was refused")

    def publish() -> None:
        enter(f"AT+CMQTTTOPIC=0,{len(TOPIC)}", TOPIC)
        enter(f"AT+CMQTTPAYLOAD=0,{size}", payload)
        device.command("AT+CMQTTPUB=0,1,60").raise_for_status()
        if device.await_urc("+CMQTTPUB: 0,0") is None:
            raise TimeoutError("no result")

    measure_publishes(publish, count)


main()
