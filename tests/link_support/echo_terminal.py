"""Echoes on a pseudo-terminal, for the tests of COM ports under Wine.

Usage: echo_terminal.py LINK, where LINK is dosdevices/com12 in the Wine prefix. After the line `HANG UP` the
terminal disappears, as an unplugged USB module does, and a new terminal takes its place.
"""

import os
import sys
import tty
from pathlib import Path


def echo_until_hang_up(link: Path) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    link.unlink(missing_ok=True)
    link.symlink_to(os.ttyname(slave))
    sys.stdout.write(f"{link} leads to {os.ttyname(slave)}\n")
    sys.stdout.flush()
    while (received := os.read(master, 65536)) != b"HANG UP\r":
        while received:
            received = received[os.write(master, received) :]
    os.close(slave)
    os.close(master)


while True:
    echo_until_hang_up(Path(sys.argv[1]))
