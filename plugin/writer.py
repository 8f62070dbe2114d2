"""Say what a writer must be able to do; a language model is one, a script in a test another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from whythis.checker import Checked, Draft, Ledger
from whythis.explanation import PromptRef
from whythis.tools.evidence import Evidence
from whythis.tools.workspace import Workspace


@dataclass(frozen=True)
class Gathered:
    """Hold the evidence an agent chose to look up, and the tokens it spent."""

    evidence: tuple[Evidence, ...]
    tokens: int = 0


@dataclass(frozen=True)
class Written:
    """Hold drafted sentences and the tokens they cost."""

    drafts: tuple[Draft, ...]
    tokens: int = 0


class Writer(Protocol):
    """Choose evidence and word sentences; everything it says is checked.

    Every method may raise `LanguageModelError`; the realiser then answers.
    """

    @property
    def name(self) -> str:
        """Return what the explanation calls this writer."""

    @property
    def prompt(self) -> PromptRef | None:
        """Return the prompt file it works from."""

    def gather(self, ws: Workspace, user: str, item: str, question: str) -> Gathered:
        """Look up evidence beyond what every answer rests on."""

    def write(self, ledger: Ledger, question: str) -> Written:
        """Draft an answer from the verified claims of the ledger."""

    def repair(self, ledger: Ledger, question: str, refused: Sequence[Checked]) -> Written:
        """Draft each refused sentence again, given the reason."""
