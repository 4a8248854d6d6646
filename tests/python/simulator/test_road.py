"""A module that follows a road: levels, cells, coverage and positions, on a simulated clock."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from simcom_mqtt.simulator import SimulatedModem
from simcom_mqtt.simulator.road import COLUMNS, read_road
from simulator.test_everyday_commands import lines_of
from simulator.wire import Wire

OK = b"\r\nOK\r\n"
EXAMPLE = Path(__file__).parents[3] / "examples" / "road.csv"
HEADER = ",".join(COLUMNS)
ROAD = f"""{HEADER}
0,48.0,11.0,500,-91,-6.5,21,318,1650,0x9A5F,65141122,1
1,48.001,11.0,501,-103,-13,-5,318,1650,0x9A5F,65141122,1
2.5,48.001,11.001,502,-88,-9,12,77,6300,0x9A60,65141378,1
4,,,,,,,,,,,0
10,48.002,11.001,503,-95,-10,8,77,6300,39520,65141378,1
"""


@pytest.fixture
def road(tmp_path: Path) -> Path:
    path = tmp_path / "road.csv"
    path.write_text(ROAD)
    return path


@pytest.fixture
def module(road: Path) -> Iterator[SimulatedModem]:
    with SimulatedModem(road=road, road_speed=0) as modem:
        yield modem


class TestDrive:
    def test_values_hold_until_the_next_point(self, module: SimulatedModem, wire: Wire) -> None:
        first = "+CPSI: LTE,Online,460-11,0x9A5F,65141122,318,EUTRAN-BAND3,1650,5,5,-6,-91,-84,21"
        assert module.road_time == 0
        assert lines_of(wire, "AT+CPSI?")[0] == first
        assert lines_of(wire, "AT+CSQ")[0] == "+CSQ: 14,0"
        module.drive(0.9)
        assert module.road_time == pytest.approx(0.9)
        assert lines_of(wire, "AT+CPSI?")[0] == first
        module.drive(0.2)
        assert lines_of(wire, "AT+CPSI?")[0].endswith(",318,EUTRAN-BAND3,1650,5,5,-13,-103,-90,-5")
        assert lines_of(wire, "AT+CSQ")[0] == "+CSQ: 12,0"
        assert lines_of(wire, "AT+CESQ")[0] == "+CESQ: 99,99,255,255,14,38"

    def test_handover_changes_the_cell(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ok(b"AT+CREG=2")
        assert lines_of(wire, "AT+CREG?")[0] == '+CREG: 2,1,"9A5F","03E1F982",7'
        module.drive(1)
        wire.expect_nothing()
        module.drive(2)
        wire.expect(b'\r\n+CREG: 1,"9A60","03E1FA82",7\r\n')
        assert lines_of(wire, "AT+CPSI?")[0].startswith(
            "+CPSI: LTE,Online,460-11,0x9A60,65141378,77,EUTRAN-BAND20,6300,"
        )

    def test_tunnel_loses_the_network(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 0\r\n")
        module.drive(5)
        wire.expect(b"\r\n+CMQTTNONET\r\n")
        assert lines_of(wire, "AT+CPSI?")[0] == "+CPSI: NO SERVICE,Online"
        assert lines_of(wire, "AT+CSQ")[0] == "+CSQ: 99,99"
        assert lines_of(wire, "AT+CREG?")[0] == "+CREG: 0,2"
        module.drive(5)
        assert lines_of(wire, "AT+CREG?")[0] == "+CREG: 0,1"
        wire.ask(b"AT+CMQTTSTART", OK + b"\r\n+CMQTTSTART: 0\r\n")

    def test_one_drive_passes_all_points(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ok(b"AT+CREG=1")
        module.drive(100)
        wire.expect(b"\r\n+CREG: 2\r\n\r\n+CREG: 1\r\n")

    def test_position_speed_and_course(self, module: SimulatedModem, wire: Wire) -> None:
        wire.ask(b"AT+CGNSSPWR=1", OK + b"\r\n+CGNSSPWR: READY!\r\n")
        assert module.position == (48.0, 11.0, 500.0)
        module.drive(1)
        fields = lines_of(wire, "AT+CGNSSINFO")[0].split(",")
        assert fields[5:9] == ["48.0010000", "N", "11.0000000", "E"]
        assert float(fields[12]) == pytest.approx(111.19 * 1.943844, rel=1e-3)  # 0.001° north in a second
        assert float(fields[13]) == 0
        module.drive(1.5)
        fields = lines_of(wire, "AT+CGNSSINFO")[0].split(",")
        assert float(fields[12]) == pytest.approx(111.19 * 0.66911 / 1.5 * 1.943844, rel=1e-3)
        assert float(fields[13]) == pytest.approx(90, abs=0.1)
        module.drive(1.5)
        assert module.position is None
        assert lines_of(wire, "AT+CGNSSINFO") == ["+CGNSSINFO: ,,,,,,,,", "OK"]

    def test_satellites_send_the_time_of_the_road(self, module: SimulatedModem, wire: Wire) -> None:
        def seconds() -> int:
            time = lines_of(wire, "AT+CGNSSINFO")[0].split(",")[10]
            return int(time[:2]) * 3600 + int(time[2:4]) * 60 + int(time[4:6])

        wire.ask(b"AT+CGNSSPWR=1", OK + b"\r\n+CGNSSPWR: READY!\r\n")
        start = seconds()
        module.drive(3)
        assert (seconds() - start) % 86_400 == 3

    def test_reset_returns_to_the_start(self, module: SimulatedModem) -> None:
        module.drive(5)
        module.reset()
        assert module.road_time == 0
        assert module.position == (48.0, 11.0, 500.0)

    def test_faults_apply_on_the_road(self, road: Path) -> None:
        with SimulatedModem(road=road, road_speed=0, faults=["apn"]) as module, Wire(module.port) as wire:
            module.drive(1)
            wire.ask(b"ATE0", b"ATE0\r" + OK)
            assert lines_of(wire, "AT+CGACT?")[0] == "+CGACT: 1,0"

    @pytest.mark.parametrize("seconds", [-1.0, float("inf"), float("nan")])
    def test_invalid_time_is_refused(self, module: SimulatedModem, seconds: float) -> None:
        with pytest.raises(ValueError, match="seconds must be 0 or more"):
            module.drive(seconds)

    def test_module_without_road_does_not_drive(self) -> None:
        with SimulatedModem() as module:
            assert module.road_time == 0
            with pytest.raises(ValueError, match="the module has no road"):
                module.drive(1)


@pytest.mark.parametrize(
    ("profile", "levels"),
    [("sim767x", "-6,-91,-84,21"), ("a76xx", "27,50,0,21"), ("sim7600", "-65,-910,-845,20")],
)
def test_levels_have_the_form_of_the_profile(road: Path, profile: str, levels: str) -> None:
    with SimulatedModem(road=road, road_speed=0, profile=profile) as module, Wire(module.port) as wire:
        wire.ask(b"ATE0", b"ATE0\r" + OK)
        assert lines_of(wire, "AT+CPSI?")[0].endswith(f",{levels}")


def test_module_moves_by_itself(road: Path) -> None:
    with SimulatedModem(road=road, road_speed=1000) as module, Wire(module.port) as wire:
        wire.ask(b"ATE0", b"ATE0\r" + OK)
        wire.ok(b"AT+CREG=1")
        # The last point is 10 ms away, so the module can have passed the tunnel before AT+CREG=1.
        while module.position != (48.002, 11.001, 503.0):
            wire.send(b"AT+CPSI?\r")
            wire.read_until(OK)
        assert module.road_time >= 10


@pytest.mark.parametrize("speed", [-1.0, float("inf"), float("nan")])
def test_invalid_speed_is_refused(road: Path, speed: float) -> None:
    with pytest.raises(ValueError, match="road_speed must be 0 or more"):
        SimulatedModem(road=road, road_speed=speed)


class TestFile:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "road.csv: the column time is missing"),
            (HEADER.replace(",coverage", ""), "road.csv: the column coverage is missing"),
            (HEADER, "road.csv: the road has no points"),
            (f"{HEADER}\n0,48,11,0,-31,-5,9,1,100,1,1,2", "line 2: coverage must be 0 to 1, not 2"),
            (f"{HEADER}\n0,48,11,0,-31,-5,9,1,100,1,1,yes", "line 2: coverage must be a whole number"),
            (f"{HEADER}\n0,91,11,0,-31,-5,9,1,100,1,1,1", "line 2: latitude must be -90 to 90, not 91"),
            (f"{HEADER}\n0,48,11,0,,-5,9,1,100,1,1,1", "line 2: rsrp must be a number, not ''"),
            (f"{HEADER}\n0,48,11,0,-90,-5,9,1.5,100,1,1,1", "line 2: pci must be a whole number, not '1.5'"),
            (f"{HEADER}\n0,,,,,,,,,,,0\n0,,,,,,,,,,,0", "line 3: time 0 does not follow 0"),
            (f"{HEADER}\n0,48", "line 2: longitude must be a number, not None"),
        ],
    )
    def test_invalid_file_is_refused(self, tmp_path: Path, text: str, message: str) -> None:
        path = tmp_path / "road.csv"
        path.write_text(text)
        with pytest.raises(ValueError, match=re.escape(message)):
            SimulatedModem(road=path)

    def test_missing_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            SimulatedModem(road=tmp_path / "none.csv")

    def test_example_has_a_tunnel_and_handovers(self) -> None:
        points = read_road(EXAMPLE)
        assert [point.time for point in points] == list(range(301))
        tunnel = [point.time for point in points if point.cell is None]
        assert tunnel == list(range(130, 160))
        assert [point.time for point in points if point.position is None] == tunnel
        cells = [point.cell.pci for point in points if point.cell is not None]
        handovers = sum(one != other for one, other in pairwise(cells))
        assert handovers == 4
