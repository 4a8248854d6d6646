"""check-prerequisites names each missing tool in one line, with the remedy."""

import os
import subprocess
from pathlib import Path

import pytest

CHECK = Path(__file__).parents[2] / "scripts" / "check-prerequisites"
BASICS = ("sh", "dirname", "sed", "sort", "head", "printf", "cut", "echo")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Folder with the programs that every system has: the whole PATH of the script."""
    for name in BASICS:
        for folder in ("/usr/bin", "/bin"):
            if (Path(folder) / name).exists():
                (tmp_path / name).symlink_to(Path(folder) / name)
                break
    return tmp_path


def install_fake(folder: Path, name: str, body: str) -> None:
    program = folder / name
    program.unlink(missing_ok=True)
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)


def check(programs: Path, *arguments: str) -> tuple[int, list[str]]:
    result = subprocess.run(
        [CHECK, *arguments],
        env=os.environ | {"PATH": str(programs)},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.returncode, result.stderr.splitlines()


def test_bare_machine_lists_everything_missing(programs: Path) -> None:
    status, lines = check(programs, "python3")

    assert status == 1
    python, rust, linker = lines
    assert python.startswith("missing: Python 3.11 or newer")
    assert "rustup.rs" in rust
    assert "apt install gcc libc6-dev" in linker


def test_old_tools_are_named_with_their_update(programs: Path) -> None:
    install_fake(programs, "python3", "echo 3.9")
    install_fake(programs, "cargo", "echo cargo 1.63.0")
    install_fake(programs, "cc", "exit 1")

    status, (python, rust, linker) = check(programs, "python3")

    assert status == 1
    assert "'python3' is 3.9" in python
    assert "rustup update stable" in rust
    assert "apt install libc6-dev" in linker


def test_missing_parts_of_packages_are_named(programs: Path) -> None:
    install_fake(programs, "python3", 'case "$2" in *ensurepip*) exit 1;; *) echo 3.11;; esac')
    install_fake(programs, "cargo", 'case "$1" in --version) echo cargo 1.95.0;; *) exit 1;; esac')
    install_fake(programs, "cc", "exit 0")

    assert check(programs, "python3") == (1, ["missing: Python's venv module: apt install python3.11-venv"])
    _, (_, rust) = check(programs, "python3", "--test")
    assert rust.endswith("rustup component add rustfmt clippy")


def test_complete_machine_passes(programs: Path) -> None:
    install_fake(programs, "python3", "echo 3.13")
    install_fake(programs, "cargo", "echo cargo 1.95.0")
    install_fake(programs, "cc", "exit 0")

    assert check(programs, "python3", "--test") == (0, [])
