"""`python -m subjects.publish_pyatcommand PORT COUNT PAYLOAD_SIZE BAUDRATE`: with what it offers.

A result that comes right behind the `OK` does not reach `get_urc()`, so its publishes end at the `OK`, in its
favour. It reads up to a line end, which a prompt has not, and so waits out its read timeout of a second at
each prompt. It has no notion of counted bytes: a payload that holds a line end or `OK` breaks its framing.
"""

import sys

from pyatcommand import AtClient

from subjects.common import TOPIC, measure_publishes


def main() -> None:
    port, count, size, baudrate = sys.argv[1], *map(int, sys.argv[2:5])
    modem = AtClient()
    modem.connect(port=port, baudrate=baudrate, autobaud=False, echo=False)
    topic, payload = TOPIC.encode(), b"x" * size

    def enter(command: str, data: bytes) -> None:
        response = modem.send_command(
            command,
            timeout=10,
            mid_prompt=">",
            mid_cb=modem.send_bytes_data_mode,
            mid_cb_args=(data,),
            mid_cb_kwargs={"auto": True},
        )
        if not response.ok:
            raise RuntimeError(f"{command} was refused")

    def publish() -> None:
        enter(f"AT+CMQTTTOPIC=0,{len(topic)}", topic)
        enter(f"AT+CMQTTPAYLOAD=0,{size}", payload)
        if not modem.send_command("AT+CMQTTPUB=0,1,60", timeout=10).ok:
            raise RuntimeError("PUB was refused")

    measure_publishes(publish, count)
    modem.disconnect()


main()
