"""Value classes: the arguments they take, their representation, copies, comparison."""

import array
import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from simcom_mqtt import (
    Cell,
    ClientState,
    Message,
    ModuleInfo,
    PdpContext,
    PortInfo,
    Position,
    Reconnect,
    Registration,
    SignalQuality,
    Sim,
    SimcomMqtt,
    Stats,
    Tls,
    Will,
)

CA = b"-----BEGIN CERTIFICATE-----"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("käse", "käse".encode()),
        (b"\0\xff", b"\0\xff"),
        (bytearray(b"abc"), b"abc"),
        (memoryview(b"abcdef")[::2], b"ace"),
        (memoryview(b"abcd").cast("B", (2, 2)), b"abcd"),
        (memoryview(array.array("h", [1, -1])), array.array("h", [1, -1]).tobytes()),
    ],
)
def test_payload_types_become_bytes(payload: str | bytes | bytearray | memoryview, expected: bytes) -> None:
    assert Will("a", payload).payload == expected
    assert Message("a", payload).payload == expected


@pytest.mark.parametrize("payload", [None, 7, 1.5, ["x"], array.array("B", [1])])
def test_wrong_payload_type_raises_type_error(payload: Any) -> None:
    with pytest.raises(TypeError, match="expected str, bytes, bytearray or memoryview, not"):
        Will("a", payload)


@pytest.mark.parametrize("topic", [None, 7, bytearray(b"a")])
def test_wrong_topic_type_raises_type_error(topic: Any) -> None:
    with pytest.raises(TypeError, match="expected str or bytes, not"):
        Will(topic, b"x")


def test_text_with_surrogates_raises_value_error() -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        Will("a", "\ud800")
    with pytest.raises(ValueError, match="surrogates not allowed"):
        Will("\ud800", b"x")


@pytest.mark.parametrize("client_index", [-1, 2, 10**30, -(10**30)])
def test_client_index_out_of_range_raises_value_error(client_index: int) -> None:
    with pytest.raises(ValueError, match=r"client_index = .*: must be 0 or 1"):
        Message("a", b"x", client_index)


@pytest.mark.parametrize("received_at", [-1.0, float("nan"), float("inf"), 1e300])
def test_impossible_received_at_raises_value_error(received_at: float) -> None:
    with pytest.raises(ValueError, match=r"received_at = .*: must be seconds since 1970"):
        Message("a", b"x", 0, received_at)


def test_received_at_is_exact() -> None:
    now = time.time()
    assert Message("a", b"x", 0, now).received_at == now


def test_repr_of_messages() -> None:
    message = Message("a/ü", b"x", 1, 1.5)
    assert repr(message) == "Message(topic='a/ü', payload=b'x', client_index=1, received_at=1.5)"
    assert "\\udcff" in repr(Message(b"\xff", b""))
    long = repr(Message("a", b"x" * 5000))
    assert "(5000 bytes)" in long
    assert len(long) < 400


def test_will_is_a_value() -> None:
    will = Will(b"dut/\xff", "off", 1)

    assert (will.topic, will.payload, will.qos) == ("dut/\udcff", b"off", 1)
    assert repr(Will("dut", b"off", 1)) == "Will(topic='dut', payload=b'off', qos=1)"
    assert will == Will("dut/\udcff", b"off", 1)
    assert will != Will(b"dut/\xff", b"off", 2)
    for copied in (pickle.loads(pickle.dumps(will)), copy.deepcopy(will)):
        assert copied == will
        assert hash(copied) == hash(will)


def test_reconnect_is_a_value() -> None:
    policy = Reconnect(min_delay=2, give_up_after=3600.5)

    assert (policy.min_delay, policy.max_delay) == (2.0, 60.0)
    assert (policy.give_up_after, policy.resend_qos2) == (3600.5, False)
    assert repr(Reconnect()) == (
        "Reconnect(min_delay=1.0, max_delay=60.0, give_up_after=None, resend_qos2=False)"
    )
    assert pickle.loads(pickle.dumps(policy)) == copy.deepcopy(policy) == policy


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("min_delay", 0.0),
        ("min_delay", float("nan")),
        ("max_delay", -1.0),
        ("max_delay", 0.5),
        ("give_up_after", float("inf")),
    ],
)
def test_bad_delay_raises_value_error(argument: str, value: float) -> None:
    delays: dict[str, Any] = {argument: value}
    with pytest.raises(ValueError, match=argument):
        Reconnect(**delays)


def test_certificate_file_is_read_at_construction(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(CA)
    assert f"ca=<{len(CA)} bytes>" in repr(Tls(ca=file))

    file.write_bytes(b"x" * 20_000)
    with pytest.raises(ValueError, match="ca of 10241 bytes: must be 1 to 10240 bytes"):
        Tls(ca=file)
    file.unlink()
    with pytest.raises(FileNotFoundError, match=r"ca\.pem"):
        Tls(ca=file)


def test_certificate_text_must_be_a_module_file_name() -> None:
    assert "ca='ca.pem'" in repr(Tls(ca="ca.pem"))
    for path in ("/etc/ssl/ca.pem", "certificates\\ca.pem"):
        with pytest.raises(ValueError, match="for a file on this host pass a Path"):
            Tls(ca=path)
    with pytest.raises(ValueError, match=r'ca = "ca\.crt"'):
        Tls(ca="ca.crt")


def test_key_is_not_in_repr() -> None:
    key = "-----BEGIN PRIVATE KEY-----\nswordfish"

    tls = Tls(verify="mutual", ca=CA, cert=CA, key=key)

    assert "swordfish" not in repr(tls)
    assert f"key=<{len(key)} bytes>" in repr(tls)


CONFLICTS: dict[str, tuple[dict[str, Any], str]] = {
    "nothing to verify by": ({}, "ca = None: must be given"),
    "unknown verification": ({"verify": "maybe", "ca": CA}, 'verify = "maybe"'),
    "a certificate that is not asked for": (
        {"ca": CA, "cert": CA, "key": CA},
        'verify = "server": must be "mutual"',
    ),
    "mutual without a certificate": ({"verify": "mutual", "ca": CA, "key": CA}, "cert = None"),
    "mutual without a key": ({"verify": "mutual", "ca": CA, "cert": CA}, "key = None"),
    "context 10": ({"context": 10}, "context = 10: must be 0 to 9"),
    "context beyond 64 bits": ({"context": 2**70}, "context = .*: must be 0 to 9"),
    "version 5": ({"ca": CA, "sslversion": 5}, "sslversion = 5: must be 0 to 4"),
    "empty certificate": ({"ca": b""}, "ca of 0 bytes"),
    "setting of an argument": ({"ca": CA, "settings": {"authmode": 0}}, "use verify"),
    "setting beyond its range": ({"ca": CA, "settings": {"negotiatetime": 1}}, "negotiatetime = 1"),
    "setting with a quote": ({"ca": CA, "settings": {"alpn": 'a"b'}}, "settings with a quote"),
}


@pytest.mark.parametrize(("arguments", "message"), CONFLICTS.values(), ids=CONFLICTS.keys())
def test_conflicting_tls_arguments_raise_value_error(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Tls(**arguments)


def test_wrong_certificate_type_raises_type_error() -> None:
    number: Any = 7
    with pytest.raises(TypeError, match="expected bytes, str or a path"):
        Tls(ca=number)


@pytest.mark.parametrize("value", [Message, Will, Tls, Reconnect])
def test_value_classes_have_signatures(value: type) -> None:
    assert inspect.signature(value).parameters
    assert value.__module__ == "simcom_mqtt"


REPORTED: dict[str, Any] = {
    "module info": ModuleInfo("SIMCOM INCORPORATED", "SIM7670G", "2374B05", "861529061234567", "…"),
    "signal quality": SignalQuality(-67, None, "+CSQ: 23,99"),
    "cell": Cell("LTE", "Online", "460-11", tac=39519, rsrq_db=-13.0, rsrp_dbm=-103, raw="+CPSI: LTE,…"),
    "client state": ClientState("dut", 1, None, None, None, False, 7, True, 120, "+CMQTTACCQ: 0,…"),
    "stats": Stats(*range(11)),
    "port": PortInfo("/dev/ttyUSB2", vid=0x1E0E, interface=2),
    "sim": Sim("pin", "89860318740037812345", None, "+CPIN: SIM PIN"),
    "registration": Registration("roaming", "LTE", "22201", True, "+CEREG: 0,5"),
    "context": PdpContext(1, "IP", "internet", False, None),
    "position": Position(45.4, 9.1, None, 3.7, None, datetime(2025, 8, 4, 19, 2, tzinfo=UTC), 12, 0.9, "…"),
}
Reported = (
    ModuleInfo
    | SignalQuality
    | Cell
    | ClientState
    | Stats
    | PortInfo
    | Sim
    | Registration
    | PdpContext
    | Position
)


@pytest.fixture(params=list(REPORTED.values()), ids=list(REPORTED))
def value(request: pytest.FixtureRequest) -> Reported:
    """One value of each class that the driver makes."""
    reported: Reported = request.param
    return reported


def test_reported_value_is_equal_to_its_copies(value: Reported) -> None:
    twins = [pickle.loads(pickle.dumps(value, protocol)) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    twins += [copy.copy(value), copy.deepcopy(value), dataclasses.replace(value)]

    for twin in twins:
        assert twin == value
        assert hash(twin) == hash(value)
        assert repr(twin) == repr(value)
    other: dict[str, Any] = {dataclasses.fields(value)[0].name: "another"}
    assert dataclasses.replace(value, **other) != value


def test_reported_value_cannot_be_changed(value: Reported) -> None:
    name = dataclasses.fields(value)[0].name

    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "another")
    with pytest.raises((AttributeError, TypeError)):
        setattr(value, "unknown", 1)  # noqa: B010
    assert not hasattr(value, "__dict__")


def test_repr_of_reported_value_shows_every_field_that_is_set(value: Reported) -> None:
    shown = repr(value)

    assert shown.startswith(f"{type(value).__name__}(")
    for name, field in dataclasses.asdict(value).items():
        assert (f"{name}={field!r}" in shown) == (field is not None)


def test_every_field_of_reported_value_is_documented(value: Reported) -> None:
    documented = inspect.getdoc(value) or ""

    for field in dataclasses.fields(value):
        assert f"\n{field.name}: " in documented


def test_reported_values_make_a_data_frame(value: Reported) -> None:
    frame = pd.DataFrame([value, value])

    assert list(frame.columns) == [field.name for field in dataclasses.fields(value)]
    for name, field in dataclasses.asdict(value).items():
        assert pd.isna(frame[name][1]) if field is None else frame[name][1] == field


def test_reported_value_can_be_matched() -> None:
    match REPORTED["cell"]:
        case Cell("LTE", _, str(network), rsrp_dbm=int(level)):
            assert (network, level) == ("460-11", -103)
        case other:
            pytest.fail(f"no match: {other}")


def test_driver_makes_the_classes_that_the_package_exports(modem: SimcomMqtt, broker_url: str) -> None:
    with modem.connect(broker_url) as client:
        made = [modem.info(), modem.signal_quality(), modem.cell(), client.query(), modem.stats]

    assert [type(value) for value in made] == [ModuleInfo, SignalQuality, Cell, ClientState, Stats]
    for value in made:
        assert pickle.loads(pickle.dumps(value)) == value


def test_package_is_imported_without_dataclasses() -> None:
    script = """
import sys
import simcom_mqtt
assert "dataclasses" not in sys.modules, "slow to import"
assert "Cell" in dir(simcom_mqtt)
from simcom_mqtt import *
assert Cell is simcom_mqtt.Cell
try:
    simcom_mqtt.Cells
except AttributeError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert done.stdout == "module 'simcom_mqtt' has no attribute 'Cells'\n"
