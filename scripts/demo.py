"""Run the quickstart example on a simulated module and a local broker, or on those that are named.

`make demo` calls it.
"""

import argparse
import asyncio
import logging
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

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
        broker = arguments.broker or running.enter_context(local_broker(embedded=arguments.embedded))
        port = arguments.port or running.enter_context(simulated_module())
        command = [sys.executable, QUICKSTART, "--port", port, "--broker", broker]
        return subprocess.run(command, check=False).returncode


@contextmanager
def simulated_module() -> Iterator[str]:
    """A simulated module, while it is needed; its port."""
    from simcom_mqtt.simulator import SimulatedModem

    with SimulatedModem() as module:
        print(f"started   a simulated module on {module.port}", flush=True)
        yield module.port


@contextmanager
def local_broker(*, embedded: bool) -> Iterator[str]:
    """A broker on a free loopback port, while it is needed; its URL."""
    port = free_port()
    # Debian puts the broker where an ordinary user's PATH does not look.
    mosquitto = None if embedded else shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    with run_mosquitto(mosquitto, port) if mosquitto else run_amqtt(port):
        print(f"started   {mosquitto or 'amqtt'} on port {port}", flush=True)
        yield f"mqtt://127.0.0.1:{port}"


@contextmanager
def run_mosquitto(program: str, port: int) -> Iterator[None]:
    """Mosquitto as a child: without a configuration it listens on loopback only and lets everybody in."""
    process = subprocess.Popen([program, "-p", str(port)], stderr=subprocess.DEVNULL)
    try:
        wait_until_listening(port)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def run_amqtt(port: int) -> Iterator[None]:
    """The amqtt broker, in a thread of its own."""
    from amqtt.broker import Broker

    async def start() -> Broker:
        allow_all = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        broker = Broker({"listeners": {"default": {"bind": f"127.0.0.1:{port}"}}, "plugins": allow_all})
        await broker.start()
        return broker

    logging.getLogger("amqtt").setLevel(logging.ERROR)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="amqtt")
    thread.start()
    try:
        broker = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=10)
        yield
        asyncio.run_coroutine_threadsafe(broker.shutdown(), loop).result(timeout=10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until_listening(port: int, timeout: float = 10) -> None:
    """Return once something accepts connections on the port."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


if __name__ == "__main__":
    sys.exit(main())
