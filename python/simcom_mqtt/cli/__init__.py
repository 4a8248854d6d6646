"""The terminal command `simcom-mqtt`: each of its commands has a file of its own.

It needs the extra `cli`.
"""

import signal
import sys
from importlib.util import find_spec
from io import TextIOWrapper
from types import FrameType


def main() -> None:
    """Run the command line and exit: 0 success, 1 the operation failed, 2 wrong usage, 130 Ctrl-C."""
    if not (find_spec("click") and find_spec("rich")):
        from simcom_mqtt.install_command import install_command

        sys.stderr.write(f"the terminal command needs click and rich: {install_command('cli')}\n")
        sys.exit(2)
    _exit_on_signals()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a caller may have closed or replaced it
            stream.reconfigure(errors="backslashreplace")
    from .application import application
    from .exit_codes import flush_or_discard

    try:
        application(prog_name="simcom-mqtt")
    finally:
        flush_or_discard(sys.stdout)
        flush_or_discard(sys.stderr)


def _exit_on_signals() -> None:
    """Exit through the clean-up code when the terminal is closed or a supervisor stops the command."""

    def stop(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        # A signal that nohup ignores stays ignored.
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, stop)
