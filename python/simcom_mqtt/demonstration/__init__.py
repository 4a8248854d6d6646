"""Runs the quickstart example on a simulated module and a broker on this machine, or on real ones.

For `make demo` and `simcom-mqtt demo`. `quickstart.py` here is a link to the file in `examples/`.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from simcom_mqtt.local_broker import local_broker

from .quickstart import run

__all__ = ["demonstrate"]


def demonstrate(port: str | None = None, broker: str | None = None, *, embedded: bool = False) -> None:
    """Run the example.

    port: the AT port of a real module; None: a simulated module.
    broker: the URL of a broker that the module can reach; None: a broker on this machine.
    embedded: run amqtt, even if Mosquitto is installed.
    """
    with ExitStack() as running:
        url = broker or running.enter_context(_local_broker(embedded=embedded))
        run(port or running.enter_context(_simulated_module()), url)


@contextmanager
def _local_broker(*, embedded: bool) -> Iterator[str]:
    with local_broker("amqtt" if embedded else "auto") as broker:
        _print(f"started   {broker.program} on port {broker.port}")
        yield broker.url


@contextmanager
def _simulated_module() -> Iterator[str]:
    from simcom_mqtt.simulator import SimulatedModem

    with SimulatedModem() as module:
        _print(f"started   a simulated module on {module.port}")
        yield module.port


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
