"""`simcom` is clean, in whatever state the last test left the module."""

import pytest

from plugin.conftest import Run

LEFT = {
    "nothing": "",
    "both clients": """
        for index in (0, 1):
            client = simcom.connect(simcom_broker.url, index=index)
            client.subscribe("a/#", callback=print)
            client.on_message = print
    """,
    "a client in the middle": "simcom.start(); simcom.acquire('half done').set_will('a', 'b')",
    "callbacks": """
        for name in CALLBACKS:
            setattr(simcom, name, lambda *_: 1 / 0)
    """,
    "a client that reconnects": """
        simcom.connect(simcom_broker.url, reconnect=Reconnect(min_delay=5, max_delay=5))
        lost = threading.Event()
        simcom.on_connection_lost = lambda *_: lost.set()
        simcom_simulator.fail_next("CMQTTCONNECT", 3)
        simcom_simulator.drop_connection(0)
        assert lost.wait(5)
    """,
    "no network": """
        simcom.connect(simcom_broker.url)
        lost = threading.Event()
        simcom.on_network_lost = lost.set
        simcom_simulator.lose_network()
        assert lost.wait(5)
    """,
    "a weak signal": "simcom_simulator.signal = (1, 7); simcom_simulator.cell = 'LTE,Offline'",
    "a reboot": "simcom.connect(simcom_broker.url); simcom_simulator.reboot()",
    "an unplugged port": "simcom.connect(simcom_broker.url); simcom_simulator.unplug()",
    "a closed port": "simcom.connect(simcom_broker.url); simcom.close()",
    "faults": """
        for command in ("", "CMQTTREL?", "CMQTTSTOP", "CFUN?", "CMQTTSTART", "CMQTTACCQ"):
            simcom_simulator.mute_next(command)
            simcom_simulator.fail_next(command)
    """,
    "the radio off": "simcom.command('AT+CFUN=0')",
    "echo": "simcom.command('ATE1')",
    "a full list of callback errors": """
        done = threading.Event()
        simcom.on_urc = lambda line: done.set() if line == "+LAST" else 1 / 0
        for number in range(100):
            simcom_simulator.urc(f"+NUMBER: {number}")
        simcom_simulator.urc("+LAST")
        assert done.wait(5)
    """,
    "data that was never entered": """
        simcom.close()
        with open(simcom_simulator.port, "r+b", buffering=0) as port:
            port.write(b"AT+CMQTTSTART\\r")
            seen = b""
            while b"+CMQTTSTART: 0" not in seen:
                seen += port.read(100)
            port.write(b'AT+CMQTTACCQ=0,"raw"\\rAT+CMQTTWILLTOPIC=0,100\\r')
            while b">" not in seen:
                seen += port.read(100)
    """,
}

BEGINNING = """
import threading
from simcom_mqtt import Reconnect
CALLBACKS = ["on_message", "on_connection_lost", "on_network_lost", "on_reconnected", "on_restart",
             "on_port_lost", "on_message_lost", "on_urc"]

def test_that_leaves_something(simcom, simcom_simulator, simcom_broker):
"""

AFTERWARDS = """

def test_of_a_clean_module(simcom, simcom_simulator, simcom_broker):
    assert simcom.is_open and simcom.port == simcom_simulator.port
    assert not simcom.is_started() and simcom.clients() == []
    assert [name for name in CALLBACKS if getattr(simcom, name) is not None] == []
    assert len(simcom.callback_errors) < 100
    assert simcom.wait_for_network(timeout=5).operation == "Online"
    assert simcom.signal_quality().raw == "+CSQ: 23,0"
    with simcom.connect(simcom_broker.url) as client, client.capture() as inbox:
        client.subscribe("a")
        client.publish("a", "b")
        assert inbox.get().text() == "b"
"""


def indented(block: str) -> str:
    lines = [line for line in block.splitlines() if line.strip()] or ["pass"]
    margin = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join("    " + line[margin:] for line in lines)


@pytest.mark.parametrize("left", LEFT)
def test_module_of_next_test_is_clean(simulated: Run, left: str) -> None:
    result = simulated(BEGINNING + indented(LEFT[left]) + AFTERWARDS, "-rA")

    line = next(line for line in result.outlines if line.endswith("::test_of_a_clean_module"))
    assert line.startswith("PASSED"), result.outlines
