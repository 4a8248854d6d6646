"""`python -m subjects.open_ports COUNT PORT...`: opens each port and sets a callback.

With a COUNT of 0 the process idles until a line on its input. Otherwise it reports the processor time
between the start and the last of COUNT messages on every port.
"""

import contextlib
import sys
import threading
import time

from simcom_mqtt import Message, SimcomMqtt
from subjects.common import connected, tell, wait_for_start


def main() -> None:
    count, ports = int(sys.argv[1]), sys.argv[2:]
    remaining = count * len(ports)
    lock = threading.Lock()
    done = threading.Event()

    def count_down(_: Message) -> None:
        nonlocal remaining
        with lock:
            remaining -= 1
            if not remaining:
                done.set()

    with contextlib.ExitStack() as stack:
        before_ports = resident_kib()
        for port in ports:
            modem = stack.enter_context(SimcomMqtt(port))
            client = stack.enter_context(connected(modem))
            client.on_message = count_down
        with_ports = resident_kib()
        wait_for_start()
        before = time.process_time_ns()
        if count:
            done.wait()
        else:
            sys.stdin.readline()
        tell(
            processor_ns=time.process_time_ns() - before,
            resident_kib=with_ports,
            resident_before_kib=before_ports,
        )


def resident_kib() -> int:
    """Returns the resident memory of this process."""
    with open("/proc/self/smaps_rollup") as lines:  # noqa: PTH123 # a stream, not a file
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))


main()
