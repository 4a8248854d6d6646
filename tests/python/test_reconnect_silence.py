"""A module that is mute for a while: the connection is intact, so nothing is restored."""

from collections.abc import Iterator

import pytest

from recorded_events import LogRecords, RecordedEvents
from simcom_mqtt import Message, Reconnect, SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.simulator.faults import Stage

FAST = Reconnect(min_delay=0.05, max_delay=0.2)


@pytest.fixture
def modem(simulator: SimulatedModem) -> Iterator[SimcomMqtt]:
    with SimcomMqtt(simulator.port, command_timeout=0.5) as driver:
        yield driver


@pytest.mark.parametrize(
    ("command", "stage"),
    [
        ("CMQTTTOPIC", "prompt"),
        ("CMQTTTOPIC", "ok"),
        ("CMQTTTOPIC", "all"),
        ("CMQTTPAYLOAD", "prompt"),
        ("CMQTTPAYLOAD", "ok"),
        ("CMQTTPAYLOAD", "all"),
    ],
)
def test_missing_answer_before_pub_is_retried(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, base: str, command: str, stage: Stage
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)
    simulator.mute_next(command, stage)

    with client.capture() as inbox:
        client.publish(f"{base}/up", b"once", 1, timeout=8)
        client.publish(f"{base}/up", b"and on", 1)
        assert inbox.wait_count(2) == [Message(f"{base}/up", b"once"), Message(f"{base}/up", b"and on")]

    assert events.names(simulator) == []
    assert modem.stats.reconnects == 0


@pytest.mark.parametrize("stage", ["prompt", "ok", "result"])
def test_missing_answer_to_sub_is_retried(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, base: str, stage: Stage
) -> None:
    client = modem.connect(broker_url, reconnect=FAST)
    simulator.mute_next("CMQTTSUB", stage)

    if stage == "result":
        # Only the timeout shows that this result is missing.
        with pytest.raises(TimeoutError):
            client.subscribe(f"{base}/#", 1, timeout=0.5)
        client.subscribe(f"{base}/#", 1, timeout=5)
    else:
        client.subscribe(f"{base}/#", 1, timeout=8)

    with client.capture() as inbox:
        client.publish(f"{base}/up", b"", 1)
        assert inbox.get() == Message(f"{base}/up", b"")


def test_publish_waits_until_a_mute_module_answers(
    modem: SimcomMqtt, simulator: SimulatedModem, broker_url: str, base: str
) -> None:
    events = RecordedEvents(modem)
    client = modem.connect(broker_url, reconnect=FAST)
    client.subscribe(f"{base}/#", 1)
    simulator.delay_next("CSQ", 6)

    with LogRecords() as log, client.capture() as inbox:
        with pytest.raises(TimeoutError):
            modem.signal_quality()
        log.wait_for("answers nothing")
        future = client.publish_nowait(f"{base}/up", b"after all", 1)
        assert future.result(30) is None
        assert inbox.get() == Message(f"{base}/up", b"after all")

    assert events.names(simulator) == []
    assert client.is_connected()
