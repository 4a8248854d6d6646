"""A private Mosquitto that drops nothing."""

import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Self

from simcom_mqtt.local_broker import find_mosquitto, free_port

CONFIGURATION = """{user}
log_dest stderr
set_tcp_nodelay true
max_queued_messages 0
max_queued_bytes 0
listener {port} 127.0.0.1
allow_anonymous true
"""


class Broker:
    """Listens on `port` of the loopback interface while the `with` block lasts."""

    def __init__(self) -> None:
        self.port = free_port()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory()
        self.start()
        return self

    def start(self) -> None:
        """Starts Mosquitto, again on the same port after `stop`; returns once it listens."""
        program = find_mosquitto()
        assert program, "the Mosquitto broker is not installed: apt-get install mosquitto"
        # A Mosquitto started by root becomes another user, who cannot read this file.
        user = "user root" if os.geteuid() == 0 else ""
        configuration = Path(self._folder.name, "mosquitto.conf")
        configuration.write_text(CONFIGURATION.format(user=user, port=self.port))
        self._process = subprocess.Popen([program, "-c", configuration], stderr=subprocess.PIPE, text=True)
        assert self._process.stderr
        for line in self._process.stderr:
            if line.rstrip().endswith("running"):
                return
        raise RuntimeError(f"Mosquitto ended with status {self._process.wait()}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._folder.cleanup()

    def stop(self) -> None:
        """Ends Mosquitto."""
        self._process.terminate()
        self._process.communicate()
