"""The exit of a script that leaves a module, a replay or a driver open."""

import subprocess
import sys
from pathlib import Path

import pytest

UNCLOSED = {
    "a module": "simulator.SimulatedModem()",
    "a module on a TCP port": "simulator.SimulatedModem(transport='tcp')",
    "a replay": "simulator.Replay(sys.argv[1])",
    "a module that a driver has opened": "simulator.SimulatedModem(); driver = SimcomMqtt(kept.port)",
}
ENDS = {"at its end": ("", 0), "by sys.exit": ("sys.exit(3)", 3), "by an exception": ("raise SystemError", 1)}


@pytest.mark.parametrize("unclosed", UNCLOSED.values(), ids=list(UNCLOSED))
@pytest.mark.parametrize(("end", "status"), ENDS.values(), ids=list(ENDS))
def test_unclosed_object_does_not_block_exit(unclosed: str, end: str, status: int, tmp_path: Path) -> None:
    transcript = tmp_path / "transcript.txt"
    transcript.write_text(
        "# simcom-mqtt transcript 1\n0.000000 > line AT\\r\n0.001000 < line \\r\\nOK\\r\\n\n"
    )
    script = f"""
import sys
from simcom_mqtt import SimcomMqtt, simulator
kept = {unclosed}
print(kept.port)
{end}
"""

    result = subprocess.run(
        [sys.executable, "-c", script, transcript], capture_output=True, text=True, timeout=30, check=False
    )

    assert result.returncode == status
    assert "ignored" not in result.stderr
    port = Path(result.stdout.strip())
    assert not port.exists()
    assert not port.parent.name.startswith("simcom-mqtt-") or not port.parent.exists()
