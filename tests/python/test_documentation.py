"""Runs the Python blocks of each documentation page as one script."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from documentation import CONNECTED, OPENED, ROOT, Substitutes, python_blocks, run
from mosquitto_broker import MosquittoBroker

DOCS = ROOT / "docs"
PAGES = [page for page in sorted(DOCS.rglob("*.md")) if python_blocks(page)]


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[MosquittoBroker]:
    """A broker for each page: messages retained by one page would reach the others."""
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    with MosquittoBroker(folder) as running:
        yield running


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_python_blocks_of_page_run(page: Path, broker: MosquittoBroker, tmp_path: Path) -> None:
    with Substitutes(broker) as substitutes:
        substitutes.write_certificates(tmp_path)
        script = tmp_path / "page.py"
        script.write_text(substitutes.fill_in(prelude(page) + "\n".join(python_blocks(page))))

        result = run(script, cwd=tmp_path)

    assert "Traceback" not in result.stderr


def prelude(page: Path) -> str:
    """Returns the code that the page says its snippets continue from."""
    text = page.read_text()
    if "The snippets go on from" not in text:
        return ""
    return CONNECTED if "modem.connect(url) as client`" in text else OPENED


def test_pages_use_known_hosts_only() -> None:
    known = {f"{name}.example.com" for name in ("broker", "secure", "mutual")}
    for page in PAGES:
        assert set(re.findall(r"mqtts?://([\w.]+)", "".join(python_blocks(page)))) <= known, page
