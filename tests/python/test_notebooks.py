"""Runs the example notebooks as the documentation says, and checks their outputs."""

import base64
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib.image
import nbformat
import pytest

ROOT = Path(__file__).parents[2]
NAMES = ["first_steps", "field_trial"]


class Outputs:
    """Outputs of the code cells of a notebook."""

    def __init__(self, path: Path) -> None:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        self.cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
        self.entries: list[Any] = [output for cell in self.cells for output in cell.outputs]

    def text(self) -> str:
        """Returns all text of the outputs."""
        printed = [output.text for output in self.entries if output.output_type == "stream"]
        return "".join(printed + self.of_type("text/plain") + self.of_type("text/html"))

    def of_type(self, media_type: str) -> list[str]:
        data = [output.data for output in self.entries if "data" in output]
        return [each[media_type] for each in data if media_type in each]

    def frames(self) -> list[list[list[str]]]:
        """Returns the cells of the pandas tables, row by row."""
        tables = [html for html in self.of_type("text/html") if "dataframe" in html]
        found = [re.search("<table.*</table>", html, re.DOTALL) for html in tables]
        roots = [ElementTree.fromstring(table[0]) for table in found if table]
        return [[[cell.text or "" for cell in row] for row in root.iter("tr")] for root in roots]


def check(outputs: Outputs) -> None:
    """Checks what every notebook must fulfil."""
    assert {output.output_type for output in outputs.entries} <= {"stream", "execute_result", "display_data"}
    assert [output.text for output in outputs.entries if output.get("name") == "stderr"] == []
    assert all(cell.execution_count for cell in outputs.cells)
    assert "Warning" not in outputs.text()
    assert re.findall(r"/(?:tmp|root|home|work|dev/pts)\b[^\s<]*", outputs.text()) == []


def check_figure(picture: Path) -> None:
    pixels = matplotlib.image.imread(picture)
    height, width = pixels.shape[:2]
    assert (width > 600, height > 300) == (True, True)
    dark = (pixels[:, :, :3].min(axis=2) < 0.5).mean()
    # Axes, text and curves: neither an empty sheet nor a black one.
    assert 0.005 < dark < 0.3
    # Each cell is drawn in its colour.
    for colour in ((0x1F, 0x6F, 0xB4), (0xD1, 0x73, 0x1C)):
        near = abs(pixels[:, :, :3] * 255 - colour).max(axis=2) < 4
        assert near.sum() > 200, colour


@pytest.fixture
def results(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Folder with a notebook that was just run."""
    name = request.param
    result = subprocess.run(
        [sys.executable, "-W", "error", ROOT / "scripts/notebooks.py", name, "--into", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return tmp_path


# A kernel takes a few seconds to start, and more on a busy machine.
SLOW_START = pytest.mark.timeout(60)


@SLOW_START
@pytest.mark.parametrize("results", ["first_steps"], indirect=True)
def test_first_steps_notebook_runs(results: Path) -> None:
    outputs = Outputs(results / "first_steps.ipynb")
    check(outputs)
    tables = outputs.of_type("text/html")
    captions = re.findall(r"<caption>(\w+)", "".join(tables))
    assert captions == ["ModuleInfo", "SignalQuality", "Cell", "ClientState", "3", "Stats"]
    assert "<td>on, 23 °C</td>" in tables[4]
    assert "<code>00 17 8e ff</code>" in tables[4]
    assert "dut/json → 3.79 V" in outputs.text()
    assert re.search(r"\d+ messages per second at QoS 1", outputs.text())
    assert "100/100" in outputs.text()
    for error in ("ValueError: qos = 3", "ValueError: payload of 20000 bytes", "CommandError: AT+CCERTDELE"):
        assert error in outputs.text()
    assert "one\ntwo\nthree\n" in outputs.text()


@SLOW_START
@pytest.mark.parametrize("results", ["field_trial"], indirect=True)
def test_field_trial_notebook_runs(results: Path) -> None:
    outputs = Outputs(results / "field_trial.ipynb")
    check(outputs)
    check_figure(results / "field_trial.png")
    assert len(outputs.of_type("image/png")) == 2

    events, samples, summary = outputs.frames()
    event_names = [row[-1] for row in events[1:]]
    assert event_names[:2] == ["connection lost: Network is closed.", "network lost"]
    assert event_names[-1] == "back"
    assert samples[0][1:] == ["rssi_dbm", "rsrp_dbm", "snr_db", "latency_ms", "band", "cell_id", "error"]
    assert "64 rows × 7 columns" in outputs.text()
    columns = summary[0]
    by_band = {row[0]: dict(zip(columns, row, strict=True)) for row in summary[2:]}
    assert set(by_band) == {"EUTRAN-BAND3", "EUTRAN-BAND20", "NaN"}
    assert sum(int(row["samples"]) for row in by_band.values()) == 64
    assert {row["failed"] for row in by_band.values()} == {"0"}
    for row in (by_band["EUTRAN-BAND3"], by_band["EUTRAN-BAND20"]):
        assert -120 < float(row["rsrp_worst"]) < float(row["rsrp_median"]) < -80
        assert 0 < float(row["latency_median"]) <= float(row["latency_worst"])
    assert "client 0 is connected again" in outputs.text()


@pytest.mark.parametrize("name", NAMES)
def test_stored_notebook_has_outputs_in_order(name: str) -> None:
    outputs = Outputs(ROOT / f"examples/{name}.ipynb")
    check(outputs)
    assert outputs.of_type("text/html")
    numbers = [cell.execution_count for cell in outputs.cells]
    assert numbers == list(range(1, len(numbers) + 1))


def test_documented_picture_comes_from_the_notebook() -> None:
    picture = ROOT / "docs/pictures/field_trial.png"
    check_figure(picture)
    stored = Outputs(ROOT / "examples/field_trial.ipynb").of_type("image/png")
    assert base64.b64decode(stored[0]) == picture.read_bytes()
