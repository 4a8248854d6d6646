"""Fixtures for the tests of the terminal command."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _restore_log() -> Iterator[None]:
    """A command that runs in this process configures the log."""
    logger = logging.getLogger("simcom_mqtt")
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])
