"""Result codes and loss causes: the table of the application note, and numbers that it does not list."""

import copy
import pickle

import pytest

from simcom_mqtt.codes import LossCause, ResultCode

# Chapter 4.1 of the application note, word for word.
CHAPTER_4_1 = """
0	operation succeeded
1	failed
2	bad UTF-8 string
3	sock connect fail
4	sock create fail
5	sock close fail
6	message receive fail
7	network open fail
8	network close fail
9	network not opened
10	client index error
11	no connection
12	invalid parameter
13	not supported operation
14	client is busy
15	require connection fail
16	sock sending fail
17	timeout
18	topic is empty
19	client is used
20	client not acquired
21	client not released
22	length out of range
23	network is opened
24	packet fail
25	DNS error
26	socket is closed by server
27	connection refused: unaccepted protocol version
28	connection refused: identifier rejected
29	connection refused: server unavailable
30	connection refused: bad user name or password
31	connection refused: not authorized
32	handshake fail
33	not set certificate
34	Open session failed
35	Disconnect from server failed
"""


def test_result_codes_match_the_application_note() -> None:
    table = [line.split("\t") for line in CHAPTER_4_1.strip().splitlines()]

    assert [[str(code.value), code.meaning] for code in ResultCode] == table


def test_result_code_equals_its_number() -> None:
    assert ResultCode(25) is ResultCode.DNS_ERROR
    assert ResultCode(25) == 25
    assert f"{ResultCode.DNS_ERROR}" == "25"
    assert repr(ResultCode.DNS_ERROR) == "<ResultCode.DNS_ERROR: 25>"


@pytest.mark.parametrize("cls", [ResultCode, LossCause])
def test_unlisted_number_becomes_an_unknown_code(cls: type[ResultCode] | type[LossCause]) -> None:
    known = list(cls)

    unknown = cls(99)

    assert isinstance(unknown, cls)
    assert unknown.name == "UNKNOWN_99"
    assert unknown.value == unknown == 99
    assert unknown == cls(99)
    assert len({unknown, cls(99)}) == 1
    assert unknown.meaning == "not in the application note"
    assert repr(unknown) == f"<{cls.__name__}.UNKNOWN_99: 99>"
    assert list(cls) == known


@pytest.mark.parametrize("value", [-1, "25", None, 1.5])
def test_value_that_is_no_code_raises_value_error(value: object) -> None:
    with pytest.raises(ValueError, match="is not a valid ResultCode"):
        ResultCode(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [ResultCode.TIMEOUT, ResultCode(99), LossCause.RESET, LossCause(99)])
def test_codes_survive_pickling_and_copying(code: ResultCode | LossCause) -> None:
    for copied in (pickle.loads(pickle.dumps(code)), copy.copy(code), copy.deepcopy(code)):
        assert type(copied) is type(code)
        assert (copied, copied.name) == (code, code.name)


def test_loss_causes_match_the_application_note() -> None:
    assert [(cause.name, cause.value) for cause in LossCause] == [
        ("CLOSED_PASSIVELY", 1),
        ("RESET", 2),
        ("NETWORK_CLOSED", 3),
    ]
