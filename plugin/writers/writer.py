"""Say what a writer must be able to do; a language model is one, a script in a test another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from whythis.explanation import PromptRef
from whythis.text.checker import Checked, Draft, Ledger
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


class Conversation(Protocol):
    """Choose evidence and word sentences about one recommendation; all it says is checked.

    Every method may raise `LanguageModelError`; the realiser then answers.
    """

    def gather(self) -> Gathered:
        """Look up evidence beyond what every answer rests on."""

    def write(self, ledger: Ledger) -> Written:
        """Draft an answer from the verified claims of the ledger."""

    def repair(self, ledger: Ledger, refused: Sequence[Checked]) -> Written:
        """Draft each refused sentence again, given the reason."""


class Writer(Protocol):
    """Open conversations; what is common to them, such as a loaded model, lives here."""

    @property
    def name(self) -> str:
        """Return what the explanation calls this writer."""

    @property
    def prompt(self) -> PromptRef | None:
        """Return the prompt file it works from."""

    def begin(self, ws: Workspace, user: str, item: str, question: str) -> Conversation:
        """Start a conversation about one recommendation."""
