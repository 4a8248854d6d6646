"""A finding of `simcom-mqtt doctor`."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The severity of a finding."""

    FINE = "fine"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """A subject, its state, and how to fix it."""

    subject: str
    verdict: Verdict
    text: str
    fix: str = ""


def fine(subject: str, text: str) -> Finding:
    """Make a finding that needs no action."""
    return Finding(subject, Verdict.FINE, text)


def warning(subject: str, text: str, fix: str) -> Finding:
    """Make a finding with which MQTT still works."""
    return Finding(subject, Verdict.WARNING, text, fix)


def failed(subject: str, text: str, fix: str) -> Finding:
    """Make a finding with which MQTT does not work."""
    return Finding(subject, Verdict.FAILED, text, fix)
