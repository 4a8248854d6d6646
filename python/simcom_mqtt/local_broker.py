"""A broker on this machine, for demonstrations and tests: Mosquitto if it is installed, else amqtt.

amqtt comes with the extra `demo`.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, Literal

from simcom_mqtt.install_command import install_command

__all__ = ["Kind", "LocalBroker", "find_mosquitto", "free_port", "local_broker", "wait_until_listening"]

Kind = Literal["auto", "mosquitto", "amqtt"]

AMQTT_SHUTDOWN_TIMEOUT: Final = 2.0
"""Seconds for one attempt."""


@dataclass(frozen=True)
class LocalBroker:
    """A running broker."""

    program: str
    """The path of Mosquitto, or "amqtt"."""
    port: int

    @property
    def url(self) -> str:
        """The URL for `SimcomMqtt.connect`."""
        return f"mqtt://127.0.0.1:{self.port}"


@contextmanager
def local_broker(kind: Kind = "auto") -> Iterator[LocalBroker]:
    """Run a broker without access control on a free loopback port, for the duration of the block.

    "auto" takes Mosquitto if it is installed, else amqtt.

    RuntimeError: there is no such broker; the message says what to install.
    TimeoutError: the broker does not listen within 10 s.
    """
    program = _program(kind)
    port = free_port()
    with _run_amqtt(port) if program == "amqtt" else _run_mosquitto(program, port):
        yield LocalBroker(program, port)


def find_mosquitto() -> str | None:
    """Return the path of Mosquitto; None: it is not installed."""
    # Debian installs it in a folder that is not in an ordinary user's PATH.
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def free_port() -> int:
    """Return a free TCP port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until_listening(port: int, process: subprocess.Popen[bytes], timeout: float = 10) -> None:
    """Wait until a Mosquitto that was started listens on its port."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            if process.poll() is not None:
                raise RuntimeError(f"Mosquitto ended with status {process.returncode}") from None
            if time.monotonic() > deadline:
                raise TimeoutError(f"Mosquitto does not listen on port {port} after {timeout:g} s") from None
            time.sleep(0.02)
        else:
            return


def _program(kind: Kind) -> str:
    mosquitto = find_mosquitto()
    if mosquitto and kind != "amqtt":
        return mosquitto
    if kind == "mosquitto":
        raise RuntimeError("Mosquitto is not installed: apt-get install mosquitto")
    if not find_spec("amqtt"):
        raise RuntimeError(
            f"there is no broker to start: apt-get install mosquitto, or {install_command('demo')}"
            if kind == "auto"
            else f"amqtt is not installed: {install_command('demo')}"
        )
    return "amqtt"


@contextmanager
def _run_mosquitto(program: str, port: int) -> Iterator[None]:
    # Without a configuration it listens on loopback only, without access control.
    process = subprocess.Popen(  # noqa: S603
        [program, "-p", str(port)],
        stderr=subprocess.DEVNULL,
        process_group=0,  # Ctrl-C ends the program that uses the broker, which still closes its connection
    )
    try:
        wait_until_listening(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _run_amqtt(port: int) -> Iterator[None]:
    from amqtt.broker import Broker

    async def start() -> Broker:
        allow_all = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
        broker = Broker({"listeners": {"default": {"bind": f"127.0.0.1:{port}"}}, "plugins": allow_all})
        await broker.start()
        return broker

    async def stop(broker: Broker) -> None:
        # amqtt waits for ever for a client that disconnects at the same moment; the next attempt succeeds.
        for _ in range(4):
            with suppress(TimeoutError):
                await asyncio.wait_for(broker.shutdown(), AMQTT_SHUTDOWN_TIMEOUT)
                break
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    logging.getLogger("amqtt").setLevel(logging.ERROR)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="amqtt")
    thread.start()
    try:
        broker = asyncio.run_coroutine_threadsafe(start(), loop).result(timeout=10)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(stop(broker), loop).result(timeout=10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
