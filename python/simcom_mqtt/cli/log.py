"""The log on standard error: warnings, or each AT line both ways."""

import contextlib
import logging
from typing import Final

from .screen import remark

LEVELS: Final = ("debug", "info", "warning", "error")


class _Handler(logging.Handler):
    """Writes to standard error as it is when a record comes."""

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(OSError):  # whoever read it has gone
            remark(self.format(record))


def show_log(level: str) -> None:
    """Show the records of the driver and the simulated module from a level on."""
    logger = logging.getLogger("simcom_mqtt")
    logger.handlers = [handler := _Handler()]
    # With AT lines the time matters; a warning is for a person.
    handler.setFormatter(
        logging.Formatter("%(asctime)s.%(msecs)03d %(name)s: %(message)s", "%H:%M:%S")
        if level == "debug"
        else logging.Formatter("%(levelname)s: %(message)s")
    )
    logger.propagate = False
    logger.setLevel(level.upper())
