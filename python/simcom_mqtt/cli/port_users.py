"""Which programs of this machine get in the way of a port. On Linux; elsewhere nobody is found."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROCESSES: Final = Path("/proc")
MODEM_MANAGER: Final = "ModemManager"


def users_of(port: str) -> list[str]:
    """The programs that have the port open, as "minicom (process 123)", as far as this user may see them."""
    device = Path(port).resolve()
    return [
        f"{_name(process)} (process {process.name})"
        for process in _processes()
        if any(file == device for file in _open_files(process))
    ]


def modem_manager_runs() -> bool:
    """Whether ModemManager runs, which opens every modem that it finds."""
    return any(_name(process) == MODEM_MANAGER for process in _processes())


def _processes() -> Iterator[Path]:
    if PROCESSES.is_dir():
        yield from (process for process in PROCESSES.iterdir() if process.name.isdigit())


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:  # it has ended
        return ""


def _open_files(process: Path) -> Iterator[Path]:
    try:
        for link in (process / "fd").iterdir():
            yield link.readlink()
    except OSError:  # it has ended, or is another user's
        return
