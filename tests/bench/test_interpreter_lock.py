"""A publish leaves Python to others while it is under way."""

import sys
from statistics import median

import pytest

from suite.processes import Peer, run_on

# So long that no other delay looks like a second one, nor the noise of a busy machine.
SWITCH_INTERVAL = 0.1
SCRIPT = f"""
import runpy, sys
sys.setswitchinterval({SWITCH_INTERVAL})
runpy.run_module("subjects.publish_simcom_mqtt", run_name="__main__")
"""


# The first run builds the crate.
@pytest.mark.timeout(600)
def test_beside_a_busy_thread_a_publish_waits_for_the_interpreter_once() -> None:
    with Peer() as peer:
        measured = run_on(peer, [sys.executable, "-c", SCRIPT, peer.port, 9, 64, 115_200, "computing"])
    waited = median(measured["latencies_ns"]) / 1e9
    assert waited < 2 * SWITCH_INTERVAL, f"{waited / SWITCH_INTERVAL:.1f} switch intervals"
