"""Run the example notebooks, and store them with their outputs: `python scripts/notebooks.py`.

Also extracts the picture of the field trial for the documentation from its notebook.
"""

import argparse
import base64
import os
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "examples"
PICTURES = ROOT / "docs" / "pictures"
LONGEST_CELL = 60


def main() -> None:
    """Run all notebooks, or those that are named."""
    parser = argparse.ArgumentParser(description="Run the example notebooks, in place.")
    parser.add_argument("names", nargs="*", default=["first_steps", "field_trial"])
    parser.add_argument("--into", type=Path, help="store the results in this folder instead")
    arguments = parser.parse_args()
    for name in arguments.names:
        notebook = run(NOTEBOOKS / f"{name}.ipynb")
        nbformat.write(notebook, (arguments.into or NOTEBOOKS) / f"{name}.ipynb")  # type: ignore[no-untyped-call]
        for picture in pictures(notebook)[:1]:
            ((arguments.into or PICTURES) / f"{name}.png").write_bytes(picture)


def run(path: Path) -> nbformat.NotebookNode:
    """Return the notebook with its outputs. Files of Jupyter go to a folder that is removed."""
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    # Every user of this machine can connect to the kernel's sockets, and the kernel warns without encryption.
    config = Config({"KernelManager": {"transport_encryption": "auto"}})
    resources = {"metadata": {"path": NOTEBOOKS}}
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"JUPYTER_RUNTIME_DIR": folder, "IPYTHONDIR": folder}
        NotebookClient(notebook, timeout=LONGEST_CELL, resources=resources, config=config).execute()
    for cell in notebook.cells:
        # The time of each cell would be noise in a diff.
        cell.metadata.pop("execution", None)
    return notebook


def pictures(notebook: nbformat.NotebookNode) -> list[bytes]:
    """Return the PNG images among the outputs, in order."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    data = [output["data"] for output in outputs if "data" in output]
    return [base64.b64decode(each["image/png"]) for each in data if "image/png" in each]


if __name__ == "__main__":
    main()
