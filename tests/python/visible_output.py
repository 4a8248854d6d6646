"""Collects all output of a driver that a person may see, and checks that no secret is in it."""

import logging
import traceback
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self, TypeVar

from simcom_mqtt import SimcomError
from simcom_mqtt.simulator.transcript import read_transcript

T = TypeVar("T")

PIECE: Final = 6
"""Length of the pieces of a secret that are searched for: too long to occur by chance."""


class VisibleOutput(logging.Handler):
    """Log records of all levels, warnings, errors with their causes, results and transcripts, as text."""

    def __init__(self, folder: Path) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []
        self.errors: list[SimcomError] = []
        self.transcript = folder / "transcript.txt"
        self._loggers = [logging.getLogger(name) for name in ("simcom_mqtt", "simcom_mqtt.at")]
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for logger in self._loggers:
            self._stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.DEBUG)
        self._loggers[0].addHandler(self)
        self._stack.callback(self._loggers[0].removeHandler, self)
        self._warnings = self._stack.enter_context(warnings.catch_warnings(record=True))
        warnings.simplefilter("always")
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        self.texts.append(f"{record.getMessage()} {record.args} {record.exc_info}")

    def collect(self, call: Callable[[], T]) -> T | None:
        """Makes a call, and collects its result or its error with all attributes and causes."""
        try:
            result = call()
        except (SimcomError, ValueError) as error:
            self._take_error(error)
            return None
        values = [getattr(result, name) for name in dir(result) if not name.startswith("_")]
        self.texts.append(f"{result!r} {result} {values}")
        return result

    def _take_error(self, error: BaseException) -> None:
        if isinstance(error, SimcomError):
            self.errors.append(error)
        self.texts += traceback.format_exception(error)
        chain: BaseException | None = error
        while chain is not None:
            self.texts.append(
                f"{chain!r} {chain} {chain.args} {vars(chain)} {traceback.format_tb(chain.__traceback__)}"
            )
            chain = chain.__cause__ or chain.__context__

    def everything(self) -> str:
        """Returns all text. The driver must be closed."""
        elements = [element.data for element in read_transcript(self.transcript)]
        joined = b"".join(elements).decode("latin-1")
        apart = "\n".join(element.decode("latin-1") for element in elements)
        warned = "\n".join(str(warning.message) for warning in self._warnings)
        return "\n".join([*self.texts, warned, self.transcript.read_text(), joined, apart])

    def assert_hides(self, *secrets: str) -> None:
        """Asserts that no piece of any of the secrets is visible."""
        everything = self.everything()
        for secret in secrets:
            for start in range(len(secret) - PIECE + 1):
                piece = secret[start : start + PIECE]
                at = everything.find(piece)
                assert at < 0, f"{piece!r} of a secret in {everything[max(0, at - 300) : at + 100]!r}"
        assert "***" in everything, "nothing was masked: the secrets were never written"
