"""The terminal command `simcom-mqtt`: one file a verb.

It needs the extra `cli`: `pip install 'simcom-mqtt[cli]'`.
"""

import signal
import sys
from importlib.util import find_spec
from io import TextIOWrapper
from types import FrameType

MISSING = "the terminal command needs click and rich: pip install 'simcom-mqtt[cli]'"


def main() -> None:
    """Run the command line, and exit: 0 fine, 1 the operation failed, 2 usage, 130 Ctrl-C."""
    if not (find_spec("click") and find_spec("rich")):
        sys.stderr.write(f"{MISSING}\n")
        sys.exit(2)
    _end_in_order_on_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # it may be closed, or another program's
            stream.reconfigure(errors="backslashreplace")
    from .application import application

    application(prog_name="simcom-mqtt")


def _end_in_order_on_signals() -> None:
    """Leave the module clean when a terminal is closed, or a supervisor ends the command."""

    def end(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        # What nohup has switched off stays so.
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, end)
