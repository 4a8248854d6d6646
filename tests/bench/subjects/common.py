"""Protocol between a subject and the runner, and the common part of all publishers."""

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Literal

from simcom_mqtt import MqttClient, SimcomMqtt

TOPIC = "bench/topic"
WARM_UP = 3


def wait_for_start() -> None:
    """Prints `ready`, and waits for the start by the runner."""
    print("ready", flush=True)
    sys.stdin.readline()


def tell(**measured: object) -> None:
    """Prints the measurements for the runner."""
    print(json.dumps(measured), flush=True)


def now() -> int:
    """Returns the time of the clock that the peer uses for its stamps."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def connected(modem: SimcomMqtt, index: Literal[0, 1] = 0) -> MqttClient:
    """Returns a connected client of the bench peer, which needs no broker."""
    return modem.connect("mqtt://broker.invalid", client_id=f"bench{index}", index=index)


def measure_publishes(publish: Callable[[], object], count: int, *, computing: bool = False) -> None:
    """Publishes one after the other, and reports how long each took."""
    for _ in range(WARM_UP):
        publish()
    if computing:
        threading.Thread(target=compute, daemon=True).start()
    wait_for_start()
    latencies = []
    began = now()
    for _ in range(count):
        before = time.perf_counter_ns()
        publish()
        latencies.append(time.perf_counter_ns() - before)
    tell(latencies_ns=latencies, began_ns=began, ended_ns=now())


def compute() -> None:
    """Keeps the interpreter busy, without system calls or waits."""
    total = 0
    while True:
        total = (total * 31 + 7) % 1_000_003
