"""Script what a language model says, so that explanations can be tested without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from whythis.claims.offer import offer
from whythis.explain import gather
from whythis.explanation import PromptRef
from whythis.text.checker import Checked, Draft, Ledger, examine
from whythis.tools.evidence import Evidence
from whythis.tools.workspace import Workspace
from whythis.writers.writer import Gathered, Written

Write = Callable[[Ledger], Sequence[Draft]]
Repair = Callable[[Ledger, Sequence[Checked]], Sequence[Draft]]


def silent(ledger: Ledger, refused: Sequence[Checked]) -> Sequence[Draft]:
    return ()


def ledger_of(ws: Workspace, user: str, item: str) -> Ledger:
    return examine(offer(gather(ws, user, item), user, item), item, ws)


def best(ws: Workspace, user: str) -> str:
    return ws.recommender.recommend(user, 1)[0].item


@dataclass
class Script:
    """Be a writer and its own only conversation: each step is a function; errors are raised."""

    write_: Write
    repair_: Repair = silent
    found: Sequence[Evidence] = ()
    fails_at: Exception | None = None
    rounds: list[Sequence[Checked]] = field(default_factory=list)
    name: str = "script"
    prompt: PromptRef | None = None

    def begin(self, ws: Workspace, user: str, item: str, question: str) -> Script:
        return self

    def gather(self) -> Gathered:
        if self.fails_at is not None:
            raise self.fails_at
        return Gathered(tuple(self.found), 7)

    def write(self, ledger: Ledger) -> Written:
        return Written(tuple(self.write_(ledger)), 11)

    def repair(self, ledger: Ledger, refused: Sequence[Checked]) -> Written:
        self.rounds.append(refused)
        return Written(tuple(self.repair_(ledger, refused)), 13)


class FakeLlama:
    """Stream scripted answers as llama.cpp does; an exception in the script is raised."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []
        self.n_tokens = 100

    def create_chat_completion(
        self, messages: list[dict[str, str]], **options: Any
    ) -> Iterator[dict[str, Any]]:
        self.asked.append({"messages": messages, **options})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        for n in range(0, len(answer), 16):
            yield {"choices": [{"delta": {"content": answer[n : n + 16]}}]}
        yield {"choices": [{"delta": {}}]}
