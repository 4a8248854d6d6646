"""The results of a whole run go into `docs/measured.md`; the results of a part do not."""

import json
from pathlib import Path

import pytest

from suite import measured_page
from suite.measures import MEASURES
from suite.report import Table


def stored(folder: Path, *, whole: bool = True, names: list[str] | None = None) -> Path:
    """Results with a table, a bar and a curve for each measure."""
    tables = {}
    for name in names or list(MEASURES):
        table = Table(f"table of {name}", ["", "time"], curves={name: f"<svg>{name}</svg>"})
        table.add("simcom-mqtt", "1 ms")
        table.reach(name, "≤ 2 ms", "3 ms", met=False)
        tables[name] = [table.to_json()]
    results = folder / "results.json"
    results.write_text(json.dumps({"machine": "a machine\n", "whole": whole, "tables": tables}))
    return results


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """The page of a project in `tmp_path`, with old results."""
    page = tmp_path / "docs" / "measured.md"
    page.parent.mkdir()
    page.write_text(f"before\n{measured_page.BEGIN}\nlong ago\n{measured_page.END}\nafter\n")
    return page


def test_write_replaces_text_between_marks(page: Path, tmp_path: Path) -> None:
    measured_page.write(stored(tmp_path), tmp_path)
    once = page.read_text()
    assert once.startswith(f"before\n{measured_page.BEGIN}\na machine\n")
    assert once.endswith(f"{measured_page.END}\nafter\n")
    assert "long ago" not in once
    for name in MEASURES:
        assert f"| {name} | ≤ 2 ms | **3 ms** |" in once
        assert f"### table of {name}\n\n|  | time |\n| --- | ---: |\n| simcom-mqtt | 1 ms |" in once
        assert once.count(f"(pictures/{name}.svg)") == 1
        assert (page.parent / "pictures" / f"{name}.svg").read_text() == f"<svg>{name}</svg>"
    measured_page.write(stored(tmp_path), tmp_path)
    assert page.read_text() == once


@pytest.mark.parametrize(("whole", "names"), [(False, None), (True, ["inbound"])])
def test_write_refuses_results_of_a_part(
    page: Path, tmp_path: Path, whole: bool, names: list[str] | None
) -> None:
    before = page.read_text()
    with pytest.raises(SystemExit, match="not of a whole run"):
        measured_page.write(stored(tmp_path, whole=whole, names=names), tmp_path)
    assert page.read_text() == before


def test_page_of_the_project_has_the_marks() -> None:
    text = (measured_page.ROOT / "docs" / "measured.md").read_text()
    assert text.index(measured_page.BEGIN) < text.index(measured_page.END)
