"""A reboot clears the state of the module, the echo setting included: reconnect restores all of it."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from host_client import HostClient
from recorded_events import RecordedEvents
from simcom_mqtt import LossCause, Message, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.simulator.profiles import SIM767X

FAST = Reconnect(min_delay=0.05, max_delay=0.2)


@pytest.fixture(params=[(), ("QC\xffRDY",)], ids=["no banner", "a damaged banner"])
def silent_simulator(request: pytest.FixtureRequest) -> Iterator[SimulatedModem]:
    """A module that boots without a readable banner."""
    with SimulatedModem(profile=replace(SIM767X, boot_lines=request.param)) as module:
        yield module


@pytest.fixture
def quick_modem(silent_simulator: SimulatedModem) -> Iterator[SimcomMqtt]:
    """A driver with a command timeout of one second."""
    with SimcomMqtt(silent_simulator.port, command_timeout=1) as driver:
        yield driver


def test_reconnects_after_a_boot_banner(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, host: HostClient, base: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 2)
    before = len(simulator.received)

    simulator.reboot()
    events.wait_for("reconnected", 0)

    assert events.recorded == [("restart",), ("reconnected", 0)]
    with client.capture() as inbox:
        host.publish(f"{base}/back", b"", 1)
        assert inbox.get() == Message(f"{base}/back", b"")
    since = simulator.received[before:]
    assert since.index("ATE0") < since.index("AT+CMQTTSTART")
    unknown = modem.stats.unknown_lines
    modem.command("AT+CSQ")
    assert modem.stats.unknown_lines == unknown


def test_reconnects_after_a_reset_command(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)

    modem.command("AT+CRESET")
    events.wait_for("restart")
    events.wait_for("reconnected", 0)

    assert events.recorded == [
        ("connection lost", 0, LossCause.NETWORK_CLOSED),
        ("network lost",),
        ("restart",),
        ("reconnected", 0),
    ]
    client.publish("a/b", b"", 1)


def test_both_clients_reconnect_after_a_reboot(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    clients = [modem.connect(broker_url, reconnect=FAST) for _ in range(2)]
    simulator.reboot()

    for client in clients:
        client.publish("a/b", b"", 1, timeout=8)

    assert sorted(events.names(simulator)) == ["reconnected", "reconnected", "restart"]
    assert simulator.received.count("AT+CMQTTSTART") == 2


def test_reconnects_when_rebooted_again_while_reconnecting(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    simulator.reboot()
    events.wait_for("restart")
    simulator.reboot()

    client.publish("a/b", b"", 1, timeout=8)

    assert events.names(simulator) in (
        ["restart", "restart", "reconnected"],
        ["restart", "reconnected", "restart", "reconnected"],
    )


def test_publish_survives_a_silent_reboot(
    quick_modem: SimcomMqtt,
    silent_simulator: SimulatedModem,
    broker_url: str,
    host: HostClient,
    base: str,
) -> None:
    events = RecordedEvents(quick_modem)
    client = quick_modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)
    before = len(silent_simulator.received)
    silent_simulator.reboot()

    with client.capture() as inbox:
        client.publish(f"{base}/up", b"sent all the same", 1, timeout=9)
        assert inbox.get() == Message(f"{base}/up", b"sent all the same")

    assert events.names(silent_simulator) == ["restart", "reconnected"]
    since = silent_simulator.received[before:]
    assert since.index("ATE0") < since.index("AT+CMQTTSTART")
    assert since.count("AT+CMQTTPUB=0,1,60") == 1


def test_silent_reboot_while_idle_is_found_by_the_next_call(
    quick_modem: SimcomMqtt, silent_simulator: SimulatedModem, broker_url: str
) -> None:
    events = RecordedEvents(quick_modem)
    client = quick_modem.connect(broker_url, reconnect=FAST)
    silent_simulator.reboot()
    while not answers(quick_modem):
        pass

    client.subscribe("a/b", 1, timeout=8)

    assert events.names(silent_simulator) == ["restart", "reconnected"]


def answers(modem: SimcomMqtt) -> bool:
    """Returns True once the module answers."""
    try:
        modem.command("AT", timeout=1)
    except TimeoutError:
        return False
    return True
