"""Imports: few modules are loaded, all public names exist, and no two files import each other."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import simcom_mqtt

LOADED = """
import sys, logging, __future__
before = set(sys.modules)
import simcom_mqtt
print(*sorted(set(sys.modules) - before))
"""


def test_import_loads_few_modules_beside_logging() -> None:
    result = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path = {sys.path!r}; {LOADED}"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.split() == [
        "simcom_mqtt",
        "simcom_mqtt._free_threading",
        "simcom_mqtt._native",
        "simcom_mqtt.errors",
    ]


def test_names_that_are_imported_on_use() -> None:
    assert set(simcom_mqtt.__all__) <= set(dir(simcom_mqtt))
    assert all(getattr(simcom_mqtt, name) is not None for name in simcom_mqtt.__all__)


def test_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'simcom_mqtt' has no attribute 'SimcomMQTT'"):
        simcom_mqtt.SimcomMQTT  # type: ignore[attr-defined] # noqa: B018


def test_no_two_files_import_each_other() -> None:
    root = Path(__file__).parents[2] / "python"
    files = {".".join(path.relative_to(root).with_suffix("").parts): path for path in root.rglob("*.py")}
    files = {name.removesuffix(".__init__"): path for name, path in files.items()}
    graph = {
        name: {target for target in imports_of(name, path) if target in files and target != name}
        for name, path in files.items()
    }

    TopologicalSorter(graph).prepare()  # raises CycleError


def imports_of(name: str, path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, those under TYPE_CHECKING left out."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.orelse
        elif isinstance(node, ast.ImportFrom):
            folder = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*folder, *([node.module] if node.module else [])])
            # `from package import module` imports the module; a name of the package comes from the package.
            yield from [module, *(f"{module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            nodes += ast.iter_child_nodes(node)
