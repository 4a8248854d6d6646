"""Counters of `stats`."""

import queue

from host_client import HostClient
from scripted_module import ScriptedModule
from simcom_mqtt import SimcomMqtt


def test_stats_count_traffic(modem: SimcomMqtt, broker_url: str, host: HostClient, base: str) -> None:
    client = modem.connect(broker_url)
    client.publish(f"{base}/first", b"x")  # makes the driver query the payload limit
    client.subscribe(f"{base}/#", 1)
    before = modem.stats

    with client.capture() as inbox:
        for _ in range(3):
            client.publish(f"{base}/up", b"x" * 100)
        host.publish(f"{base}/down", b"y" * 50, 1)
        inbox.wait_count(4)
    after = modem.stats

    assert after.publishes - before.publishes == 3
    assert after.messages - before.messages == 4
    assert after.commands - before.commands == 9
    assert after.bytes_out - before.bytes_out > 3 * (100 + len(base))
    assert after.bytes_in - before.bytes_in > 3 * 100 + 50 + 4 * len(base)
    assert (after.damaged_messages, after.dropped_messages, after.late_results) == (0, 0, 0)
    assert after.reconnects == 0
    assert "publishes" in repr(after)


def test_stats_are_a_snapshot(modem: SimcomMqtt) -> None:
    stats = modem.stats
    commands = stats.commands

    modem.command("AT")

    assert (stats.commands, modem.stats.commands) == (commands, commands + 1)


def test_unknown_lines_are_counted() -> None:
    with ScriptedModule() as module, SimcomMqtt(module.port) as modem:
        lines: queue.Queue[str] = queue.Queue()
        modem.on_urc = lines.put

        module.say(b"\r\nthis is no known line\r\n")

        assert lines.get(timeout=30) == "this is no known line"
        assert modem.stats.unknown_lines == 1


def test_queue_peak_counts_waiting_callbacks(
    modem: SimcomMqtt, broker_url: str, host: HostClient, base: str
) -> None:
    client = modem.connect(broker_url)
    client.on_message = lambda _: None
    client.subscribe(base, 1)

    with client.capture() as inbox:
        for _ in range(5):
            host.publish(base, b"", 1)
        inbox.wait_count(5)

    assert 1 <= modem.stats.queue_peak <= 5
