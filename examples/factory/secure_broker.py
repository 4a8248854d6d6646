"""A broker with TLS, and the authority of its certificate."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme


@dataclass(frozen=True)
class SecureBroker:
    """The data that a device needs to connect."""

    url: str
    authority: bytes
    """PEM."""


@contextmanager
def local_secure_broker(folder: Path) -> Iterator[SecureBroker]:
    """Run a Mosquitto on this machine, with a temporary authority."""
    program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if program is None:
        pytest.fail("the simulated run needs a broker with TLS: apt-get install mosquitto", pytrace=False)
    authority = trustme.CA()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = _write_configuration(folder, authority, port)
    process = subprocess.Popen([program, "-c", configuration], stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        _wait_until_listening(process, port)
        yield SecureBroker(f"mqtts://127.0.0.1:{port}", authority.cert_pem.bytes())
    finally:
        process.terminate()
        process.wait()


def _write_configuration(folder: Path, authority: trustme.CA, port: int) -> Path:
    certificate = authority.issue_cert("127.0.0.1")
    chain, key, configuration = (folder / name for name in ("server.pem", "server-key.pem", "mosquitto.conf"))
    certificate.cert_chain_pems[0].write_to_path(chain)
    certificate.private_key_pem.write_to_path(key)
    # A Mosquitto started by root becomes another user, who cannot read this folder.
    user = "user root\n" if os.geteuid() == 0 else ""
    listener = f"listener {port} 127.0.0.1\ncertfile {chain}\nkeyfile {key}\nallow_anonymous true\n"
    configuration.write_text(user + listener)
    return configuration


def _wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"Mosquitto does not listen on port {port}: run it by hand to see why", pytrace=False)
