"""Signal and cell of the simulated module."""

import pytest

from simcom_mqtt import SimcomMqtt
from simcom_mqtt.simulator import SimulatedModem


def test_signal_and_cell_can_be_set(simulator: SimulatedModem, modem: SimcomMqtt) -> None:
    assert simulator.signal == (23, 0)
    assert (modem.signal_quality().rssi_dbm, modem.cell().band) == (-67, "EUTRAN-BAND3")

    simulator.signal = (4, 7)
    simulator.cell = "LTE,Online,460-11,0x9A5F,65141123,12,EUTRAN-BAND20,6300,3,3,-17,-121,-95,-3"

    quality, cell = modem.signal_quality(), modem.cell()
    assert (quality.rssi_dbm, quality.ber) == (-105, 7)
    assert (cell.band, cell.rsrp_dbm, cell.rsrq_db, cell.rssnr_db) == ("EUTRAN-BAND20", -121, -17.0, -3)
    assert simulator.cell.startswith("LTE,Online")


def test_signal_and_cell_are_hidden_without_service(simulator: SimulatedModem, modem: SimcomMqtt) -> None:
    simulator.signal = (10, 1)
    simulator.lose_network()
    assert (modem.signal_quality().rssi_dbm, modem.cell().mode) == (None, "NO SERVICE")

    simulator.restore_network()
    assert modem.signal_quality().rssi_dbm == -93

    simulator.reset()
    assert simulator.signal == (23, 0)
    assert "EUTRAN-BAND3" in simulator.cell


@pytest.mark.parametrize("signal", [(32, 0), (-1, 0), (23, 8), (23, -1), (98, 0)])
def test_invalid_signal_is_refused(simulator: SimulatedModem, signal: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="must be 0 to"):
        simulator.signal = signal
    assert simulator.signal == (23, 0)
