"""The log: each line both ways at DEBUG, without secrets, and not from the I/O thread."""

import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from mosquitto_broker import PASSWORD, USER, MosquittoBroker
from simcom_mqtt import SimcomMqtt, Tls
from simcom_mqtt.simulator import SimulatedModem

AT_LOGGER = "simcom_mqtt.at"


class AtLog(logging.Handler):
    """Records log lines, and waits for lines that another thread logs."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._grew = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._grew:
            self.lines.append(record.getMessage())
            self._grew.notify_all()

    def wait_for(self, matches: Callable[[str], bool]) -> str:
        """Returns the first line that matches."""
        with self._grew:
            assert self._grew.wait_for(lambda: any(map(matches, self.lines)), 5), self.lines
            return next(filter(matches, self.lines))


@pytest.fixture
def at_log() -> Iterator[AtLog]:
    logger = logging.getLogger(AT_LOGGER)
    handler = AtLog()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def test_each_line_is_logged_both_ways(at_log: AtLog, modem: SimcomMqtt) -> None:
    modem.signal_quality()

    at_log.wait_for(lambda line: "AT+CSQ" in line)
    at_log.wait_for(lambda line: "+CSQ: " in line and "AT" not in line)
    at_log.wait_for(lambda line: "OK" in line)


def test_password_is_masked_in_the_log(at_log: AtLog, modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    modem.connect(f"mqtt://127.0.0.1:{mosquitto.password}", username=USER, password=PASSWORD)

    # The module's answer contains the password, too.
    modem.command("AT+CMQTTCONNECT?")
    modem.command("AT+CSQ")

    at_log.wait_for(lambda line: "AT+CMQTTCONNECT=0" in line)
    at_log.wait_for(lambda line: "+CMQTTCONNECT: 0," in line and "tcp://" in line)
    at_log.wait_for(lambda line: "AT+CSQ" in line)
    assert PASSWORD not in "\n".join(at_log.lines)


def test_key_is_masked_in_the_log(at_log: AtLog, modem: SimcomMqtt, mosquitto: MosquittoBroker) -> None:
    own = mosquitto.authority.issue_cert("module@rig.example")
    key = own.private_key_pem.bytes()
    authority = mosquitto.authority.cert_pem.bytes()
    tls = Tls(verify="mutual", ca=authority, cert=own.cert_chain_pems[0].bytes(), key=key)

    modem.connect(f"mqtts://127.0.0.1:{mosquitto.mutual_tls}", tls=tls)
    modem.command("AT+CSQ")

    at_log.wait_for(lambda line: "AT+CSQ" in line)
    written = "\n".join(at_log.lines)
    for secret in key.decode().splitlines()[1:-1]:
        assert secret not in written


def test_log_level_set_later_takes_effect(modem: SimcomMqtt) -> None:
    modem.signal_quality()
    logger = logging.getLogger(AT_LOGGER)
    handler = AtLog()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        modem.cell()
        handler.wait_for(lambda line: "AT+CPSI?" in line)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def test_nothing_is_logged_by_default(
    simulator: SimulatedModem, broker_url: str, base: str, caplog: pytest.LogCaptureFixture
) -> None:
    with SimcomMqtt(simulator.port) as modem, modem.connect(broker_url) as client:
        client.publish(base, b"x")

    assert [record for record in caplog.records if record.name.startswith("simcom_mqtt")] == []
