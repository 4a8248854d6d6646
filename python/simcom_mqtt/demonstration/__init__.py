"""The quickstart example, on a simulated module and a broker on this machine, or on those that are named.

`make demo` and `simcom-mqtt demo` call it. Here, `quickstart.py` is a link to the one in `examples/`.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from simcom_mqtt.local_broker import local_broker

from .quickstart import run

__all__ = ["demonstrate"]


def demonstrate(port: str | None = None, broker: str | None = None, *, embedded: bool = False) -> None:
    """Start what is not named, run the example, stop what was started.

    port: the AT port of a real module; None: one is simulated.
    broker: the URL of a broker that the module can reach; None: one is started.
    embedded: start amqtt, even with Mosquitto there.
    """
    with ExitStack() as running:
        url = broker or running.enter_context(_started_broker(embedded=embedded))
        run(port or running.enter_context(_simulated_module()), url)


@contextmanager
def _started_broker(*, embedded: bool) -> Iterator[str]:
    with local_broker("amqtt" if embedded else "auto") as broker:
        _tell(f"started   {broker.program} on port {broker.port}")
        yield broker.url


@contextmanager
def _simulated_module() -> Iterator[str]:
    from simcom_mqtt.simulator import SimulatedModem

    with SimulatedModem() as module:
        _tell(f"started   a simulated module on {module.port}")
        yield module.port


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
