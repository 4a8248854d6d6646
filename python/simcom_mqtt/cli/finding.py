"""What `simcom-mqtt doctor` found out about one thing."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    FINE = "fine"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """A subject, what was found, and what to do about it."""

    subject: str
    verdict: Verdict
    text: str
    fix: str = ""


def fine(subject: str, text: str) -> Finding:
    """Nothing to do."""
    return Finding(subject, Verdict.FINE, text)


def warning(subject: str, text: str, fix: str) -> Finding:
    """MQTT works all the same, for now."""
    return Finding(subject, Verdict.WARNING, text, fix)


def failed(subject: str, text: str, fix: str) -> Finding:
    """Without this MQTT does not work."""
    return Finding(subject, Verdict.FAILED, text, fix)
