"""Run the quickstart example on a simulated module and a local broker, or on those that are named.

`make demo` calls it.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from simcom_mqtt.local_broker import local_broker

QUICKSTART = Path(__file__).parent.parent / "examples" / "quickstart.py"


def main() -> int:
    """Start what is not named, run the example, stop what was started."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", help="AT port of a real module; else one is simulated")
    parser.add_argument("--broker", help="URL of a broker that the module can reach; else one is started")
    parser.add_argument("--embedded", action="store_true", help="use amqtt, even with Mosquitto there")
    arguments = parser.parse_args()
    if arguments.port and not arguments.broker:
        sys.exit("a real module needs a broker that it can reach: add BROKER=mqtt://host[:port]")

    with ExitStack() as running:
        broker = arguments.broker or running.enter_context(started_broker(embedded=arguments.embedded))
        port = arguments.port or running.enter_context(simulated_module())
        command = [sys.executable, QUICKSTART, "--port", port, "--broker", broker]
        return subprocess.run(command, check=False).returncode


@contextmanager
def started_broker(*, embedded: bool) -> Iterator[str]:
    """A broker of our own, while it is needed; its URL."""
    with local_broker("amqtt" if embedded else "auto") as broker:
        print(f"started   {broker.program} on port {broker.port}", flush=True)
        yield broker.url


@contextmanager
def simulated_module() -> Iterator[str]:
    """A simulated module, while it is needed; its port."""
    from simcom_mqtt.simulator import SimulatedModem

    with SimulatedModem() as module:
        print(f"started   a simulated module on {module.port}", flush=True)
        yield module.port


if __name__ == "__main__":
    sys.exit(main())
