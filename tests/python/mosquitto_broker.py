"""A private Mosquitto with listeners on free loopback ports, and its log to wait on."""

import os
import re
import socket
import subprocess
import threading
from itertools import islice
from pathlib import Path
from random import SystemRandom
from typing import Self

import trustme

from simcom_mqtt.local_broker import find_mosquitto

USER = "dut"
PASSWORD = "correct horse battery"
STARTED = r"mosquitto version \S+ running"
# Linux chooses ephemeral ports from 32768 on, other systems higher.
BELOW_EPHEMERAL_PORTS = range(20_000, 32_768)
# A Mosquitto started by root becomes another user, who cannot read this folder.
COMMON_SETTINGS = f"""{"user root" if os.geteuid() == 0 else ""}
log_dest stderr
log_type all
set_tcp_nodelay true"""


class MosquittoBroker:
    """Runs while the `with` block does, and on the same ports again in another.

    Ports: `plain`, `tls` and `mutual_tls`, and `password` with a Mosquitto of its own: newer versions lose
    queued messages with `per_listener_settings`, and later ones will not have that option.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = trustme.CA()
        self.plain, self.tls, self.mutual_tls, self._password_port = free_ports(4)
        self._processes: list[tuple[subprocess.Popen[str], threading.Thread]] = []
        self._needs_passwords = False
        self._log: list[str] = []
        self._log_grew = threading.Condition()

    def __enter__(self) -> Self:
        self._start(self._write_configuration())
        if self._needs_passwords:
            self._start(self._write_password_configuration())
        return self

    def __exit__(self, *exc: object) -> None:
        for process, reader in self._processes:
            process.terminate()
            process.wait()
            reader.join()
        self._processes.clear()

    @property
    def password(self) -> int:
        """Port of the listener with passwords, which is started at first use."""
        if not self._needs_passwords:
            self._needs_passwords = True
            self._start(self._write_password_configuration())
        return self._password_port

    def wait_for_log(self, pattern: str, *, since: int = 0, timeout: float = 30) -> re.Match[str]:
        """Waits for a log line that matches, from line number `since` on; returns the first match."""
        with self._log_grew:
            found: list[re.Match[str]] = []

            def search() -> bool:
                found.extend(filter(None, (re.search(pattern, line) for line in self._log[since:])))
                return bool(found)

            assert self._log_grew.wait_for(search, timeout), (
                f"no {pattern!r} in the broker's log: {self._log}"
            )
            return found[0]

    @property
    def log_length(self) -> int:
        """Number of log lines so far, for `since`."""
        return len(self._log)

    def _start(self, configuration: Path) -> None:
        program = find_mosquitto()
        assert program, "the Mosquitto broker is not installed: make test installs it"
        log_length = self.log_length
        process = subprocess.Popen([program, "-c", configuration], stderr=subprocess.PIPE, text=True)
        reader = threading.Thread(target=self._read_log, args=(process,))
        reader.start()
        self._processes.append((process, reader))
        self.wait_for_log(STARTED, since=log_length)

    def _read_log(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr
        with process.stderr as stderr:
            for line in stderr:
                with self._log_grew:
                    self._log.append(line.rstrip())
                    self._log_grew.notify_all()

    def _write_configuration(self) -> Path:
        certificate = self.authority.issue_cert("localhost", "127.0.0.1")
        authority, chain, key = (self._folder / name for name in ("ca.pem", "server.pem", "server-key.pem"))
        self.authority.cert_pem.write_to_path(authority)
        certificate.cert_chain_pems[0].write_to_path(chain)
        certificate.private_key_pem.write_to_path(key)
        tls = f"cafile {authority}\ncertfile {chain}\nkeyfile {key}"
        configuration = self._folder / "mosquitto.conf"
        configuration.write_text(
            f"""{COMMON_SETTINGS}
allow_anonymous true
listener {self.plain} 127.0.0.1
listener {self.tls} 127.0.0.1
{tls}
listener {self.mutual_tls} 127.0.0.1
{tls}
require_certificate true
"""
        )
        return configuration

    def _write_password_configuration(self) -> Path:
        passwords = self._folder / "passwords"
        passwords.write_text(f"{USER}:{PASSWORD}\n")
        passwords.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", passwords], check=True)
        configuration = self._folder / "mosquitto-with-passwords.conf"
        configuration.write_text(
            f"""{COMMON_SETTINGS}
password_file {passwords}
listener {self._password_port} 127.0.0.1
"""
        )
        return configuration


def free_ports(count: int) -> list[int]:
    """Returns TCP ports without a listener that are outside the range of ephemeral ports."""
    candidates = SystemRandom().sample(BELOW_EPHEMERAL_PORTS, 100)
    return list(islice(filter(is_free, candidates), count))


def is_free(port: int) -> bool:
    """Returns True if a server could listen on the port."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
