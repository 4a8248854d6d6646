"""`aio` has the names, arguments and behaviour of the blocking driver."""

import asyncio
import inspect
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import simcom_mqtt
from host_client import HostClient
from simcom_mqtt import ClosedError, MessageTimeoutError, SimcomError, aio
from simcom_mqtt.simulator import SimulatedModem

PAIRS = [
    (simcom_mqtt.SimcomMqtt, aio.SimcomMqtt),
    (simcom_mqtt.MqttClient, aio.MqttClient),
    (simcom_mqtt.Capture, aio.Capture),
]


def public(cls: type) -> set[str]:
    return {name for name in dir(cls) if not name.startswith("_")}


@pytest.mark.parametrize(("blocking", "awaited"), PAIRS)
def test_names_and_arguments_equal_those_of_blocking_class(blocking: type, awaited: type) -> None:
    assert public(blocking) - public(awaited) == set()
    assert public(awaited) - public(blocking) <= {"open"}
    for name in public(blocking):
        method = getattr(blocking, name)
        if not callable(method):
            continue
        assert parameters(getattr(awaited, name)) == parameters(method), name


def test_constructor_arguments_equal() -> None:
    assert parameters(aio.SimcomMqtt) == {"self": inspect.Parameter.empty} | parameters(
        simcom_mqtt.SimcomMqtt
    ) or parameters(aio.SimcomMqtt) == parameters(simcom_mqtt.SimcomMqtt)


def parameters(function: Any) -> dict[str, Any]:
    return {name: each.default for name, each in inspect.signature(function).parameters.items()}


@pytest.mark.parametrize(("_blocking", "awaited"), PAIRS)
def test_docstrings_refer_to_blocking_class(_blocking: type, awaited: type) -> None:
    for name in public(awaited) & public(_blocking):
        assert f"{_blocking.__name__}.{name}" in (inspect.getdoc(getattr(awaited, name)) or ""), name


def test_every_method_works(
    simulator: SimulatedModem, broker_url: str, host: HostClient, base: str, tmp_path: Path
) -> None:
    pem = tmp_path / "ca.pem"
    pem.write_bytes(b"-----BEGIN CERTIFICATE-----")

    async def main() -> None:
        async with aio.SimcomMqtt(simulator.port) as modem:
            assert modem.is_open
            assert modem.port == simulator.port
            info = await modem.info()
            assert info.imei in (await modem.command("AT+CGSN"))
            assert (await modem.signal_quality()).rssi_dbm == -67
            assert (await modem.cell()).mode == (await modem.wait_for_network()).mode == "LTE"
            assert (await modem.pdp_contexts())[1]
            assert (await modem.sim()).state == "ready"
            await modem.enter_pin("1234")
            assert (await modem.registration()).is_registered
            await modem.set_apn("internet", type="IP")
            assert [context.apn for context in await modem.data_contexts()] == ["internet"]
            assert await modem.sync_clock() <= (await modem.clock() or datetime.min)
            await modem.set_gnss(True)
            assert await modem.position() is None
            await modem.upload_certificate("ca.pem", pem)
            assert await modem.certificates() == ["ca.pem"]
            await modem.delete_certificate("ca.pem")
            await modem.configure_ssl(3, authmode=0)
            assert (await modem.ssl_context(3))["authmode"] == 0
            assert "CMQTTPUB" in await modem.limits()

            async with await modem.connect(broker_url) as client:
                assert client.modem is modem
                assert await modem.clients() == [client]
                assert client.client_id == f"{info.imei}-0"
                assert client.is_connected()
                assert (await client.query()).connected
                await client.subscribe(f"{base}/in", 1)
                assert await modem.subscribed_topics() == [f"{base}/in".encode()]
                with client.capture(f"{base}/in") as inbox:
                    await client.publish(f"{base}/in", "there and back", 2)
                    assert (await inbox.get()).text() == "there and back"
                future = await client.publish_nowait(f"{base}/in", b"", 1)
                await future
                await client.unsubscribe(f"{base}/in")
            assert not client.is_connected()

            second = await modem.acquire("step by step", 1)
            await second.configure(operation_timeout=30)
            await second.set_will(f"{base}/gone", "gone")
            await second.use_ssl_context(1)
            await second.connect(broker_url)
            await second.disconnect()
            await second.release()
            await modem.stop()
            assert not await modem.is_started()
            await modem.start()
            assert modem.stats.publishes == 2
            assert "open" in repr(modem)
        assert not modem.is_open
        with pytest.raises(ClosedError):
            await modem.info()

    asyncio.run(main())


def test_use_before_open_raises(simulator: SimulatedModem) -> None:
    async def main() -> None:
        modem = aio.SimcomMqtt(simulator.port)
        assert not modem.is_open
        with pytest.raises(ClosedError, match="async with"):
            await modem.info()
        await modem.close()
        await modem.open()
        with pytest.raises(ClosedError, match="make a new one"):
            await modem.open()
        await modem.info()
        await modem.close()
        await modem.close()

    asyncio.run(main())


def test_errors_equal_those_of_blocking_driver(simulator: SimulatedModem, broker_url: str) -> None:
    async def main() -> None:
        with pytest.raises(OSError, match="no port"):
            await aio.SimcomMqtt("/dev/missing").open()
        async with aio.SimcomMqtt(simulator.port) as modem:
            with pytest.raises(ValueError, match="keepalive = 0"):
                await modem.connect(broker_url, keepalive=0)
            with pytest.raises(ConnectionError):
                await modem.connect("mqtt://127.0.0.1:1")
            client = await modem.connect(broker_url)
            with pytest.raises(ValueError, match="qos = 3"):
                await client.publish("a", "b", 3)  # type: ignore[arg-type]
            with pytest.raises(ValueError, match="timeout = 0"):
                client.messages(timeout=0)
            with pytest.raises(ValueError, match="filter"):
                client.capture("")
            simulator.fail_next("CMQTTPUB", 17)
            with pytest.raises(SimcomError) as failure:
                await client.publish("a", "b", 1)
            assert failure.value.code == simcom_mqtt.ResultCode.TIMEOUT  # type: ignore[attr-defined]
            with client.capture("nothing") as inbox, pytest.raises(MessageTimeoutError) as nothing:
                await inbox.get(timeout=0)
            assert 'no further message on "nothing" within 0 s; nothing arrived at all' in str(nothing.value)

    asyncio.run(main())
