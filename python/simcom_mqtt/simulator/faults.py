"""Faults that a test has armed for the next answer, message block or gap."""

from collections import defaultdict, deque
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

Stage = Literal["echo", "prompt", "ok", "result", "all"]
"""A part of an answer: echo, prompt, `ok` (information lines and final result code), result line, or all."""

Gap = Literal["before_echo", "echo_ok", "ok_urc", "before_prompt", "prompt_data", "data_ok", "between_parts"]
"""A place between two outputs. `ok_urc` is between the final result code and the result line, whichever
comes first; `between_parts` is between the parts of a message block."""

Damage = Literal["drop", "flip", "add"]

STAGES: Final[tuple[str, ...]] = get_args(Stage)
GAPS: Final[tuple[str, ...]] = get_args(Gap)
DAMAGES: Final[tuple[str, ...]] = get_args(Damage)
ADDED: Final = b"#"


@dataclass
class AnswerFaults:
    """The delays and mutes of one answer, by stage."""

    delays: dict[str, float] = field(default_factory=dict)
    mutes: set[str] = field(default_factory=set)

    @property
    def concern_echo(self) -> bool:
        """True if the echo must wait until the command is known."""
        return bool({"echo", "all"} & (self.delays.keys() | self.mutes))

    def take_delay(self, stage: str) -> float:
        """Return and clear the delay of a stage; a delay of `all` applies to the first stage."""
        return self.delays.pop(stage, 0.0) + self.delays.pop("all", 0.0)

    def is_mute(self, stage: str) -> bool:
        """Return whether a stage is never sent."""
        return stage in self.mutes or "all" in self.mutes


@dataclass(frozen=True)
class BlockDamage:
    """The damage of one message block."""

    kind: Damage
    offset: int
    count: int

    def apply(self, block: bytes) -> bytes:
        """Return the damaged block; an offset beyond it is its last byte."""
        start = min(max(self.offset + (len(block) if self.offset < 0 else 0), 0), len(block) - 1)
        if self.kind == "add":
            return block[:start] + ADDED * self.count + block[start:]
        damaged = block[start : start + self.count]
        kept = bytes(byte ^ 0xFF for byte in damaged) if self.kind == "flip" else b""
        return block[:start] + kept + block[start + self.count :]


class Faults:
    """All armed faults. A fault that is armed twice strikes twice."""

    def __init__(self) -> None:
        self._failures: defaultdict[str, deque[int | None]] = defaultdict(deque)
        self._answers: defaultdict[str, deque[AnswerFaults]] = defaultdict(deque)
        self._gaps: defaultdict[str, bytes] = defaultdict(bytes)
        self._damages: deque[BlockDamage] = deque()

    def clear(self) -> None:
        """Disarm everything."""
        self._failures.clear()
        self._answers.clear()
        self._gaps.clear()
        self._damages.clear()

    def fail(self, command: str, code: int | None) -> None:
        """Make the next such command fail with a result code; None: with a bare `ERROR`."""
        self._failures[command].append(code)

    def delay(self, command: str, stage: Stage, seconds: float) -> None:
        """Delay a stage of the next such answer."""
        self._next_without(command, stage).delays[stage] = seconds

    def mute(self, command: str, stage: Stage) -> None:
        """Suppress a stage of the next such answer."""
        self._next_without(command, stage).mutes.add(stage)

    def insert(self, gap: Gap, raw: bytes) -> None:
        """Insert bytes at the next such gap."""
        self._gaps[gap] += raw

    def damage(self, damage: BlockDamage) -> None:
        """Damage the next message block."""
        self._damages.append(damage)

    @property
    def concern_echo(self) -> bool:
        """True if the echo of a line must wait until the command is known."""
        return any(plan.concern_echo for plans in self._answers.values() for plan in plans)

    def take_failure(self, command: str) -> tuple[int | None] | None:
        """Return the result code of an armed failure in a tuple; None: no failure is armed."""
        failures = self._failures.get(command)
        return (failures.popleft(),) if failures else None

    def take_answer(self, command: str) -> AnswerFaults:
        """Return the armed delays and mutes of this command's answer."""
        plans = self._answers.get(command)
        return plans.popleft() if plans else AnswerFaults()

    def take_inserted(self, gap: Gap) -> bytes:
        """Return the armed bytes of this gap."""
        return self._gaps.pop(gap, b"")

    def take_damage(self) -> BlockDamage | None:
        """Return the armed damage of this message block."""
        return self._damages.popleft() if self._damages else None

    def _next_without(self, command: str, stage: Stage) -> AnswerFaults:
        plans = self._answers[command]
        for plan in plans:
            if stage not in plan.delays and stage not in plan.mutes:
                return plan
        plans.append(AnswerFaults())
        return plans[-1]
