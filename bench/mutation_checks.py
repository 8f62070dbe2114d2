"""Put mutants before the checks: replay answers, audit sentences, and count what is killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from whythis.bench.ground_truth import GroundTruth
from whythis.tools.workspace import Workspace

if TYPE_CHECKING:
    from whythis.auditing import Auditor, Reader


@dataclass
class Tally:
    """Count mutants and kills by operator, and keep those that survived."""

    made: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    survivors: list[dict[str, str]] = field(default_factory=list)

    def add(self, operator: str, killed: bool, seen: Mapping[str, str]) -> None:
        """Count one mutant; `seen` says what a reader needs to look into it."""
        self.made[operator] += 1
        self.killed[operator] += killed
        if not killed:
            self.survivors.append({"operator": operator, **seen})

    def rates(self) -> dict[str, float]:
        """Return the share killed by operator."""
        return {operator: self.killed[operator] / made for operator, made in self.made.items()}

    @property
    def rate(self) -> float:
        """Return the share killed of all."""
        return self.killed.total() / max(1, self.made.total())


@dataclass(frozen=True)
class Checks:
    """Judge records and sentences, here and where the reviews quoted are the user's own.

    `ms_replay`, `ms_audit`: milliseconds that each check of an answer as it was took.
    """

    ws: Workspace
    leaky: Workspace | None
    owners: Mapping[str, str]
    reader: Reader | None
    ms_replay: list[float] = field(default_factory=list)
    ms_audit: list[float] = field(default_factory=list)

    def holds(self, record: dict[str, Any], leaked: bool = False) -> bool:
        """Return whether a saved explanation holds when it is replayed."""
        from whythis.auditing.replay import replay

        return replay(record, self._where(leaked)).holds

    def verdicts(self, text: str, truth: GroundTruth, leaked: bool = False) -> set[str]:
        """Return the verdicts on the sentences of a text; nothing read is uncheckable."""
        found = self._auditors[leaked].audit(text, user=truth.user, item=truth.item)
        return {sentence.verdict for sentence in found.sentences} or {"uncheckable"}

    def supports(self, text: str, truth: GroundTruth, leaked: bool = False) -> bool:
        """Return whether every sentence of a text is supported."""
        return self.verdicts(text, truth, leaked) == {"supported"}

    def applies(self, leaked: bool, truth: GroundTruth) -> bool:
        """Return whether a mutant can be judged: some need the item's reviews to be the user's."""
        return not leaked or (self.leaky is not None and self.owners.get(truth.item) == truth.user)

    @cached_property
    def _auditors(self) -> Mapping[bool, Auditor]:
        from whythis.auditing import Auditor

        return {leaked: Auditor(self._where(leaked), self.reader) for leaked in (False, True)}

    def _where(self, leaked: bool) -> Workspace:
        return self.leaky if leaked and self.leaky is not None else self.ws


def local_reader(seed: int) -> Reader:
    """Return the local language model as a reader of sentences."""
    from whythis.auditing.reader import ModelReader
    from whythis.writers.agent import open_writer

    writer = open_writer("local", seed=seed)
    return ModelReader(writer.model, writer.name)
