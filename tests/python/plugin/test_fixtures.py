"""The fixtures of the plugin."""

import pytest

from plugin.conftest import Run


def test_module_and_host_exchange_messages(simulated: Run) -> None:
    result = simulated(
        """
        import pytest
        from pytest_simcom_mqtt import Broker, HostClient, HostMessage
        from simcom_mqtt import MqttClient, SimcomMqtt
        from simcom_mqtt.simulator import SimulatedModem

        @pytest.mark.parametrize("qos", [0, 1, 2])
        def test_from_the_module(simcom_client, simcom_host, simcom_topic_prefix, qos):
            simcom_host.subscribe(f"{simcom_topic_prefix}/#", qos=2)
            with simcom_host.capture(f"{simcom_topic_prefix}/state") as inbox:
                simcom_client.publish(f"{simcom_topic_prefix}/state", "up", qos=qos)
                message = inbox.get()
            assert message == HostMessage(f"{simcom_topic_prefix}/state", b"up", qos, False)

        @pytest.mark.parametrize("qos", [0, 1, 2])
        def test_to_the_module(simcom_client, simcom_host, simcom_topic_prefix, qos):
            simcom_client.subscribe(simcom_topic_prefix, qos=qos)
            with simcom_client.capture(simcom_topic_prefix) as inbox:
                simcom_host.publish(simcom_topic_prefix, "hello", qos=qos)
                assert inbox.get().text() == "hello"

        def test_types(simcom_modem, simcom, simcom_client, simcom_simulator, simcom_broker, simcom_host):
            assert isinstance(simcom, SimcomMqtt) and simcom_modem is simcom and simcom_client.modem is simcom
            assert isinstance(simcom_client, MqttClient) and simcom_client.is_connected()
            assert isinstance(simcom_simulator, SimulatedModem) and simcom.port == simcom_simulator.port
            assert isinstance(simcom_broker, Broker) and isinstance(simcom_host, HostClient)
            assert simcom_client.query().server_address == simcom_broker.url.replace("mqtt", "tcp")
        """
    )

    result.assert_outcomes(passed=7)


def test_client_ids_and_topics_are_unique(simulated: Run) -> None:
    result = simulated(
        """
        seen = set()

        def test_one(simcom_client, simcom_topic_prefix):
            seen.update([simcom_client.client_id, simcom_topic_prefix])
            assert len(simcom_client.client_id) <= 23

        test_two = test_three = test_one

        def test_all():
            assert len(seen) == 6
        """
    )

    result.assert_outcomes(passed=4)


def test_module_is_opened_once(simulated: Run) -> None:
    result = simulated(
        """
        import pytest

        @pytest.fixture(scope="session")
        def provisioned(simcom_modem):
            simcom_modem.upload_certificate("rig.pem", b"-----BEGIN CERTIFICATE-----")
            return simcom_modem

        def test_one(provisioned, simcom, simcom_simulator):
            assert simcom is provisioned
            assert simcom_simulator.received.count("ATE0") == 1

        def test_two(provisioned, simcom, simcom_simulator):
            assert simcom is provisioned
            assert simcom_simulator.received.count("ATE0") == 1
            assert simcom.certificates() == ["rig.pem"]
        """
    )

    result.assert_outcomes(passed=2)


def test_client_is_disconnected_after_its_test(simulated: Run) -> None:
    result = simulated(
        """
        def test_one(simcom_client):
            pass

        def test_two(simcom_modem):
            assert simcom_modem.clients() == []
        """
    )

    result.assert_outcomes(passed=2)


@pytest.mark.parametrize("on_hardware", [False, True])
def test_simulator_and_markers(run: Run, on_hardware: bool, request: pytest.FixtureRequest) -> None:
    port = request.getfixturevalue("simulator").port if on_hardware else "simulator"

    result = run(
        """
        import pytest

        def test_fixture(simcom_simulator):
            print("ran: fixture")

        @pytest.mark.simcom_simulator_only
        def test_simulator_only(simcom_is_simulated):
            assert simcom_is_simulated
            print("ran: simulator_only")

        @pytest.mark.simcom_hardware
        def test_hardware(simcom_is_simulated):
            assert not simcom_is_simulated
            print("ran: hardware")
        """,
        "--simcom-port",
        port,
        "-rs",
        "-s",
        "--strict-markers",
    )

    ran = [line.split("ran: ")[1] for line in result.outlines if "ran: " in line]
    if on_hardware:
        assert ran == ["hardware"]
        result.assert_outcomes(passed=1, skipped=2)
        result.stdout.fnmatch_lines(["SKIPPED *needs a simulated module: run with --simcom-port=simulator"])
    else:
        assert ran == ["fixture", "simulator_only"]
        result.assert_outcomes(passed=2, skipped=1)
        result.stdout.fnmatch_lines(["SKIPPED *needs a real module: run with --simcom-port=/dev/ttyUSB2*"])


def test_run_leaves_no_process_or_thread_behind(simulated: Run, pytester: pytest.Pytester) -> None:
    result = simulated(
        """
        import pathlib

        def test_it(simcom_client, simcom_broker, simcom_host):
            pathlib.Path("tty").write_text(simcom_client.modem.port)
            pathlib.Path("port").write_text(str(simcom_broker.port))
        """
    )

    result.assert_outcomes(passed=1)
    import socket
    from pathlib import Path

    assert not Path((pytester.path / "tty").read_text()).exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int((pytester.path / "port").read_text())))


@pytest.mark.parametrize(
    "disturb",
    [
        "simcom_simulator.unplug()",
        "simcom_simulator.reboot()",
        "simcom_simulator.lose_network()",
        "simcom_client.modem.close()",
        "simcom_client.disconnect()",
        "simcom_client.disconnect(); simcom_client.release()",
    ],
)
def test_client_lost_during_test_does_not_fail_teardown(simulated: Run, disturb: str) -> None:
    result = simulated(
        f"""
        def test_it(simcom_client, simcom_simulator):
            {disturb}

        def test_after(simcom_client):
            assert simcom_client.is_connected()
        """
    )

    result.assert_outcomes(passed=2)
