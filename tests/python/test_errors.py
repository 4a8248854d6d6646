"""Every error class: what it is, what it holds, and that it survives pickling and copying."""

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
def test_fields_and_message(
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
def test_survives_pickling_and_copying(
    cls: type[SimcomError],
    fields: dict[str, object],
    bases: tuple[type[BaseException], ...],
    duplicate: Callable[[SimcomError], SimcomError],
) -> None:
    error = cls(MESSAGE, **fields)
    error.add_note("seen at the rig")

    twin = duplicate(error)

    assert type(twin) is cls
    assert str(twin) == MESSAGE
    assert twin.__notes__ == ["seen at the rig"]
    for name, value in fields.items():
        assert getattr(twin, name) == value


@pytest.mark.parametrize("missing", ["command", "response", "code", "client_index"])
def test_a_field_cannot_be_forgotten(missing: str) -> None:
    fields = {name: value for name, value in MQTT_FIELDS.items() if name != missing}

    with pytest.raises(TypeError, match=missing):
        MqttError(MESSAGE, **fields)  # type: ignore[arg-type]


def test_a_number_becomes_a_result_code() -> None:
    error = MqttError(MESSAGE, command="AT+CMQTTPUB=0,1,60", response="", code=77, client_index=0)

    assert error.code is not None
    assert error.code.name == "UNKNOWN_77"


def test_a_bare_error_has_no_result_code() -> None:
    error = MqttError(MESSAGE, command="AT+CMQTTSTART", response="ERROR", code=None, client_index=None)

    assert error.code is None


def test_the_late_result_is_the_one_given() -> None:
    late: Future[None] = Future()

    assert OutcomeUnknownError(MESSAGE, late=late).late is late


@pytest.mark.parametrize(
    "error_with_late", [OutcomeUnknownError(MESSAGE), OutcomeUnknownError(MESSAGE, late=Future())]
)
def test_a_late_result_does_not_cross_processes(error_with_late: OutcomeUnknownError) -> None:
    twin = pickle.loads(pickle.dumps(error_with_late))

    with pytest.raises(SimcomError, match="nothing waits"):
        twin.late.result(timeout=0)


def test_an_unknown_outcome_is_not_caught_by_a_retry_loop() -> None:
    assert not issubclass(OutcomeUnknownError, (OSError, TimeoutError))
