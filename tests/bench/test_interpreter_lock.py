"""A publish releases the interpreter lock while it waits."""

import sys
from statistics import median

import pytest

from suite.processes import Peer, run_on

# So long that no other delay, and no noise of a busy machine, looks like a second interval.
SWITCH_INTERVAL = 0.1
SCRIPT = f"""
import runpy, sys
sys.setswitchinterval({SWITCH_INTERVAL})
runpy.run_module("subjects.publish_simcom_mqtt", run_name="__main__")
"""


# The first run builds the crate.
@pytest.mark.timeout(600)
def test_publish_waits_for_the_interpreter_lock_once() -> None:
    with Peer() as peer:
        measured = run_on(peer, [sys.executable, "-c", SCRIPT, peer.port, 9, 64, 115_200, "computing"])
    seconds = median(measured["latencies_ns"]) / 1e9
    assert seconds < 2 * SWITCH_INTERVAL, f"{seconds / SWITCH_INTERVAL:.1f} switch intervals"
