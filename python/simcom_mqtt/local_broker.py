"""A broker on this machine, for demonstrations and tests: Mosquitto if it is installed, else amqtt.

amqtt comes with `pip install 'simcom-mqtt[demo]'`.
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

__all__ = ["Kind", "LocalBroker", "find_mosquitto", "free_port", "local_broker", "wait_until_listening"]

Kind = Literal["auto", "mosquitto", "amqtt"]

PATIENCE_WITH_AMQTT: Final = 2.0
"""Seconds for one try to shut it down."""


@dataclass(frozen=True)
class LocalBroker:
    """A running broker."""

    program: str
    """What it is: the path of Mosquitto, or "amqtt"."""
    port: int

    @property
    def url(self) -> str:
        """What `SimcomMqtt.connect` takes."""
        return f"mqtt://127.0.0.1:{self.port}"


@contextmanager
def local_broker(kind: Kind = "auto") -> Iterator[LocalBroker]:
    """A broker on a free loopback port that lets everybody in, while it is needed.

    "auto" takes Mosquitto if it is installed, else amqtt. Raises `RuntimeError`, which says what to install,
    if there is no such broker, and `TimeoutError` if it does not listen within 10 s.
    """
    program = _program(kind)
    port = free_port()
    with _run_amqtt(port) if program == "amqtt" else _run_mosquitto(program, port):
        yield LocalBroker(program, port)


def find_mosquitto() -> str | None:
    """The path of Mosquitto, if it is installed."""
    # Debian puts the broker where an ordinary user's PATH does not look.
    return shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def wait_until_listening(port: int, process: subprocess.Popen[bytes], timeout: float = 10) -> None:
    """Return when a Mosquitto that was started listens on its port."""
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
            "there is no broker to start: apt-get install mosquitto, or pip install 'simcom-mqtt[demo]'"
            if kind == "auto"
            else "amqtt is not installed: pip install 'simcom-mqtt[demo]'"
        )
    return "amqtt"


@contextmanager
def _run_mosquitto(program: str, port: int) -> Iterator[None]:
    # Without a configuration it listens on loopback only and lets everybody in.
    process = subprocess.Popen(  # noqa: S603
        [program, "-p", str(port)],
        stderr=subprocess.DEVNULL,
        process_group=0,  # Ctrl-C is for the program that uses it, which still has a connection to close
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
        # It waits for ever for a client that leaves in the same moment, and has forgotten it in the next try.
        for _ in range(4):
            with suppress(TimeoutError):
                await asyncio.wait_for(broker.shutdown(), PATIENCE_WITH_AMQTT)
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
