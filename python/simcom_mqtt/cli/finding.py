"""The findings of `simcom-mqtt doctor`: the first cause is failed, and all that results from it follows."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Verdict(StrEnum):
    """The severity of a finding."""

    FINE = "fine"
    WARNING = "warning"
    FAILED = "failed"
    FOLLOWS = "follows"


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


CAUSES: Final = {
    "signal": ("SIM",),
    "registration": ("SIM", "signal"),
    "PDP": ("SIM", "signal", "registration"),
    "broker": ("SIM", "registration", "PDP", "MQTT"),
}
"""The subjects that can make a subject fail."""


def mark_consequences(findings: Iterable[Finding]) -> Iterator[Finding]:
    """Pass findings on; one that failed after one of its causes follows from the first of these."""
    failures: list[str] = []
    for finding in findings:
        if finding.verdict is Verdict.FAILED:
            cause = next((cause for cause in failures if cause in CAUSES.get(finding.subject, ())), None)
            if cause:
                text = f"{finding.text}, which follows from {cause}"
                finding = replace(finding, verdict=Verdict.FOLLOWS, text=text, fix=f"fix {cause} first")
            else:
                failures.append(finding.subject)
        yield finding
