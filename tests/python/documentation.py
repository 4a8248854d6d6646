"""Runs the snippets of the README and the documentation on simulated modules and a private broker."""

import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from mosquitto_broker import MosquittoBroker
from simcom_mqtt.simulator import SimulatedModem

ROOT = Path(__file__).parents[2]
OPENED = """
from simcom_mqtt import SimcomMqtt
modem = SimcomMqtt("/dev/ttyUSB2")
"""
CONNECTED = f"""{OPENED}
client = modem.connect("mqtt://broker.example.com")
"""


def python_blocks(page: Path) -> list[str]:
    """Returns the Python blocks of a page in order, without the indentation of list items."""
    found = re.finditer(r"^( *)```python\n(.*?)^ *```$", page.read_text(), re.DOTALL | re.MULTILINE)
    return [re.sub(f"^{block[1]}", "", block[2], flags=re.MULTILINE) for block in found]


def run(*command: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a Python process that must succeed, with warnings as errors."""
    result = subprocess.run(
        [sys.executable, "-W", "error", *map(str, command)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=45,
        check=False,
    )
    assert result.returncode == 0, result
    return result


class Substitutes(ExitStack):
    """Replaces ports, hosts and certificates of the documentation while the `with` block runs."""

    def __init__(self, broker: MosquittoBroker) -> None:
        super().__init__()
        self._broker = broker

    def fill_in(self, script: str) -> str:
        """Returns the script with ports of simulated modules and addresses of the private broker."""
        for port in ("/dev/ttyUSB2", "/dev/ttyUSB7"):
            if f'"{port}"' in script:
                script = script.replace(f'"{port}"', repr(self.enter_context(SimulatedModem()).port))
        remote = '"socket://rig.example.com:3001"'
        if remote in script:
            script = script.replace(remote, repr(self.enter_context(SimulatedModem(transport="tcp")).port))
        for url, address in {
            "mqtt://broker.example.com": f"mqtt://127.0.0.1:{self._broker.plain}",
            "mqtts://secure.example.com": f"mqtts://127.0.0.1:{self._broker.tls}",
            "mqtts://mutual.example.com": f"mqtts://127.0.0.1:{self._broker.mutual_tls}",
        }.items():
            script = script.replace(f'"{url}"', repr(address))
        return script

    def write_certificates(self, folder: Path) -> None:
        """Writes the certificate files that the documentation names into the folder of the scripts."""
        identity = self._broker.authority.issue_cert("dut@example.com")
        self._broker.authority.cert_pem.write_to_path(folder / "ca.pem")
        identity.cert_chain_pems[0].write_to_path(folder / "client.pem")
        identity.private_key_pem.write_to_path(folder / "client-key.pem")
