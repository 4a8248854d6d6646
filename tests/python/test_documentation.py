"""The scripts of the documentation, each page's as one script, as a user would type them in."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from documentation import CONNECTED, OPENED, ROOT, StandIns, python_blocks, run
from mosquitto_broker import MosquittoBroker

DOCS = ROOT / "docs"
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if python_blocks(page)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MosquittoBroker]:
    """A broker for each page: what one retains would reach the others."""
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    with MosquittoBroker(folder) as running:
        yield running


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_the_scripts_of_a_page(page: Path, broker: MosquittoBroker, tmp_path: Path) -> None:
    with StandIns(broker) as stand_ins:
        stand_ins.write_certificates(tmp_path)
        script = tmp_path / "page.py"
        script.write_text(stand_ins.fill_in(beginning(page) + "\n".join(python_blocks(page))))

        result = run(script, cwd=tmp_path)

    assert "Traceback" not in result.stderr


def beginning(page: Path) -> str:
    """What the page says that its snippets go on from."""
    text = page.read_text()
    if "The snippets go on from" not in text:
        return ""
    return CONNECTED if "modem.connect(url) as client`" in text else OPENED


def test_no_script_reaches_out() -> None:
    known = {f"{name}.example.com" for name in ("broker", "secure", "mutual")}
    for page in PAGES:
        assert set(re.findall(r"mqtts?://([\w.]+)", "".join(python_blocks(page)))) <= known, page
