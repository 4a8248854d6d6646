"""Error classes: bases, fields, pickling and copying."""

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from simcom_mqtt.codes import ResultCode
from simcom_mqtt.errors import (
    ClosedError,
    CommandError,
    CommandTimeoutError,
    ConnectError,
    ConnectionLostError,
    MessageTimeoutError,
    ModuleRestartedError,
    MqttError,
    NotConnectedError,
    OutcomeUnknownError,
    PortError,
    SimcomError,
)

MQTT_FIELDS = {
    "command": "AT+CMQTTSUB=0,9,1",
    "response": "+CMQTTSUB: 0,11",
    "code": ResultCode.NO_CONNECTION,
    "client_index": 0,
}
ERRORS: list[tuple[type[SimcomError], dict[str, object], tuple[type[BaseException], ...]]] = [
    (SimcomError, {}, (Exception,)),
    (PortError, {}, (SimcomError, OSError)),
    (ClosedError, {}, (SimcomError,)),
    (CommandError, {"command": "AT+CPIN?", "response": "+CME ERROR: SIM not inserted"}, (SimcomError,)),
    (MqttError, MQTT_FIELDS, (CommandError,)),
    (ConnectError, MQTT_FIELDS, (MqttError, ConnectionError)),
    (CommandTimeoutError, {"command": "AT"}, (SimcomError, TimeoutError)),
    (OutcomeUnknownError, {}, (SimcomError,)),
    (ConnectionLostError, {}, (SimcomError, ConnectionError)),
    (ModuleRestartedError, {}, (ConnectionLostError,)),
    (NotConnectedError, MQTT_FIELDS, (ConnectionLostError, MqttError)),
    (MessageTimeoutError, {"received": []}, (SimcomError, TimeoutError)),
]
MESSAGE = "what failed: what the module said; what to try"


@pytest.mark.parametrize(("cls", "fields", "bases"), ERRORS)
def test_error_has_its_fields_message_and_bases(
    cls: type[SimcomError], fields: dict[str, object], bases: tuple[type[BaseException], ...]
) -> None:
    error = cls(MESSAGE, **fields)

    assert str(error) == MESSAGE
    assert error.args == (MESSAGE,)
    for base in bases:
        assert isinstance(error, base)
    for name, value in fields.items():
        assert getattr(error, name) == value


@pytest.mark.parametrize(
    "duplicate", [lambda error: pickle.loads(pickle.dumps(error)), copy.copy, copy.deepcopy]
)
@pytest.mark.parametrize(("cls", "fields", "bases"), ERRORS)
def test_error_survives_pickling_and_copying(
    cls: type[SimcomError],
    fields: dict[str, object],
    bases: tuple[type[BaseException], ...],
    duplicate: Callable[[SimcomError], SimcomError],
) -> None:
    error = cls(MESSAGE, **fields)
    error.add_note("seen at the rig")

    copied = duplicate(error)

    assert type(copied) is cls
    assert str(copied) == MESSAGE
    assert copied.__notes__ == ["seen at the rig"]
    for name, value in fields.items():
        assert getattr(copied, name) == value


@pytest.mark.parametrize("missing", ["command", "response", "code", "client_index"])
def test_missing_field_raises_type_error(missing: str) -> None:
    fields = {name: value for name, value in MQTT_FIELDS.items() if name != missing}

    with pytest.raises(TypeError, match=missing):
        MqttError(MESSAGE, **fields)  # type: ignore[arg-type]


def test_number_becomes_a_result_code() -> None:
    error = MqttError(MESSAGE, command="AT+CMQTTPUB=0,1,60", response="", code=77, client_index=0)

    assert error.code is not None
    assert error.code.name == "UNKNOWN_77"


def test_bare_error_has_no_result_code() -> None:
    error = MqttError(MESSAGE, command="AT+CMQTTSTART", response="ERROR", code=None, client_index=None)

    assert error.code is None


def test_late_is_the_future_given() -> None:
    late: Future[None] = Future()

    assert OutcomeUnknownError(MESSAGE, late=late).late is late


@pytest.mark.parametrize(
    "error_with_late", [OutcomeUnknownError(MESSAGE), OutcomeUnknownError(MESSAGE, late=Future())]
)
def test_late_of_an_unpickled_error_has_failed(error_with_late: OutcomeUnknownError) -> None:
    copied = pickle.loads(pickle.dumps(error_with_late))

    with pytest.raises(SimcomError, match="no longer waited for"):
        copied.late.result(timeout=0)


def test_outcome_unknown_error_is_neither_os_error_nor_timeout_error() -> None:
    assert not issubclass(OutcomeUnknownError, (OSError, TimeoutError))
