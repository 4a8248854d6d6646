"""The results of a whole run go into the README, and no others do."""

import json
from pathlib import Path

import pytest

from suite import readme
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
def root(tmp_path: Path) -> Path:
    """A project whose README has results of long ago."""
    (tmp_path / "README.md").write_text(f"before\n{readme.BEGIN}\nlong ago\n{readme.END}\nafter\n")
    return tmp_path


def test_replaces_what_is_between_the_marks(root: Path) -> None:
    readme.write(stored(root), root)
    once = (root / "README.md").read_text()
    assert once.startswith(f"before\n{readme.BEGIN}\na machine\n")
    assert once.endswith(f"{readme.END}\nafter\n")
    assert "long ago" not in once
    for name in MEASURES:
        assert f"| {name} | ≤ 2 ms | **3 ms** |" in once
        assert f"### table of {name}\n\n|  | time |\n| --- | ---: |\n| simcom-mqtt | 1 ms |" in once
        assert once.count(f"(docs/pictures/{name}.svg)") == 1
        assert (root / "docs" / "pictures" / f"{name}.svg").read_text() == f"<svg>{name}</svg>"
    readme.write(stored(root), root)
    assert (root / "README.md").read_text() == once


@pytest.mark.parametrize(("whole", "names"), [(False, None), (True, ["inbound"])])
def test_refuses_what_is_not_of_a_whole_run(root: Path, whole: bool, names: list[str] | None) -> None:
    before = (root / "README.md").read_text()
    with pytest.raises(SystemExit, match="not of a whole run"):
        readme.write(stored(root, whole=whole, names=names), root)
    assert (root / "README.md").read_text() == before


def test_the_readme_of_the_project_has_the_marks() -> None:
    text = (readme.ROOT / "README.md").read_text()
    assert text.index(readme.BEGIN) < text.index(readme.END)
