"""The module and its network: identity, signal, cell, PDP contexts."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from scripted_module import ScriptedModule
from simcom_mqtt import CommandTimeoutError, SimcomMqtt


def answer(line: str) -> bytes:
    return f"\r\n{line}\r\n\r\nOK\r\n".encode()


def test_info_reads_the_identity() -> None:
    answers = {
        "AT+CGMI": answer("SIMCOM INCORPORATED"),
        "AT+CGMM": answer("SIM7672G-MNGV"),
        "AT+CGMR": answer("+CGMR: 2374B05SIM767XM5A_M"),
        "AT+CGSN": answer("861529061234567"),
    }
    with ScriptedModule(answers) as module, SimcomMqtt(module.port) as modem:
        info = modem.info()

    assert (info.manufacturer, info.model) == ("SIMCOM INCORPORATED", "SIM7672G-MNGV")
    assert (info.revision, info.imei) == ("2374B05SIM767XM5A_M", "861529061234567")
    assert "SIM7672G-MNGV" in repr(info)


@pytest.mark.parametrize(
    ("line", "rssi_dbm", "ber"),
    [
        ("+CSQ: 23,0", -67, 0),
        ("+CSQ: 0,7", -113, 7),
        ("+CSQ: 31,99", -51, None),
        ("+CSQ: 99,99", None, None),
    ],
)
def test_signal_quality_is_parsed(line: str, rssi_dbm: int | None, ber: int | None) -> None:
    with ScriptedModule({"AT+CSQ": answer(line)}) as module, SimcomMqtt(module.port) as modem:
        quality = modem.signal_quality()

    assert (quality.rssi_dbm, quality.ber, quality.raw) == (rssi_dbm, ber, line)


def test_cell_is_parsed() -> None:
    line = "+CPSI: LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,-13,-103,-90,5"
    with ScriptedModule({"AT+CPSI?": answer(line)}) as module, SimcomMqtt(module.port) as modem:
        cell = modem.cell()

    assert (cell.mode, cell.operation, cell.mcc_mnc) == ("LTE", "Online", "460-11")
    assert (cell.tac, cell.cell_id, cell.physical_cell_id) == (0x9A5F, 65141122, 318)
    assert (cell.band, cell.earfcn) == ("EUTRAN-BAND3", 1650)
    assert (cell.rsrq_db, cell.rsrp_dbm, cell.rssi_dbm, cell.rssnr_db) == (-13, -103, -90, 5)
    assert cell.sinr_db == 5
    assert cell.raw == line


@pytest.mark.parametrize("line", ["+CPSI: NO SERVICE,Online", "+CPSI: NO SERVICE,Low Power Mode"])
def test_cell_without_service_has_no_values(line: str) -> None:
    with ScriptedModule({"AT+CPSI?": answer(line)}) as module, SimcomMqtt(module.port) as modem:
        cell = modem.cell()

    assert (cell.mode, cell.operation) == tuple(line.removeprefix("+CPSI: ").split(","))
    assert (cell.mcc_mnc, cell.band, cell.rsrp_dbm) == (None, None, None)


def test_pdp_contexts_are_parsed() -> None:
    lines = answer("+CGACT: 1,1\r\n+CGACT: 8,0")
    with ScriptedModule({"AT+CGACT?": lines}) as module, SimcomMqtt(module.port) as modem:
        assert modem.pdp_contexts() == {1: True, 8: False}


def test_simulated_module_has_a_network(modem: SimcomMqtt) -> None:
    assert modem.info().imei.isdigit()
    assert modem.signal_quality().rssi_dbm is not None
    assert modem.cell().mode == "LTE"
    assert modem.pdp_contexts()[1]
    assert modem.wait_for_network(timeout=5).raw.startswith("+CPSI: LTE")


REGISTERED = {
    "AT+CEREG?": answer("+CEREG: 0,5"),
    "AT+CGREG?": answer("+CGREG: 0,5"),
    "AT+CGACT?": answer("+CGACT: 1,1"),
    "AT+CPSI?": answer("+CPSI: LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,-13,-103,-90,5"),
}


@pytest.mark.parametrize(
    ("command", "not_yet"),
    [
        ("AT+CEREG?", "+CEREG: 0,2"),
        ("AT+CGACT?", "+CGACT: 1,0"),
    ],
)
def test_wait_for_network_returns_when_registered(command: str, not_yet: str) -> None:
    answers = REGISTERED | {command: answer(not_yet)}
    if command == "AT+CEREG?":
        answers["AT+CGREG?"] = answer("+CGREG: 0,2")
    with ScriptedModule(answers) as module, SimcomMqtt(module.port) as modem, ThreadPoolExecutor(1) as pool:
        with pytest.raises(CommandTimeoutError):
            modem.wait_for_network(timeout=0.1)

        waiting = pool.submit(modem.wait_for_network, timeout=8)
        module.wait_for_command(command)
        module.answers.update(REGISTERED)

        assert waiting.result(30).mcc_mnc == "460-11"
