"""Check drafted sentences: every claim executed again, every word held to the claims cited."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from whythis.claims.execution import Execution
from whythis.claims.kinds import Claim
from whythis.claims.slots import slots, titled
from whythis.claims.traits import traits
from whythis.claims.verify import verify
from whythis.explanation import Verdict
from whythis.text.language import Language, Style
from whythis.text.wording import clean
from whythis.text.words import Cited, fill, objection
from whythis.tools.workspace import Workspace

Veto = Callable[[str, Sequence[Claim]], str | None]
"""Give the reason why a sentence, filled in, that cites these claims may not be said, or None."""


@dataclass(frozen=True)
class Draft:
    """Hold a sentence as a writer gives it: text with slots, and the claims it cites."""

    text: str
    claims: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """Hold a draft with its filled text, or the reason why it may not be said.

    `vetoed`: the reason is one of the ledger's vetoes, no rule of ours.
    """

    draft: Draft
    text: str | None
    reason: str | None
    vetoed: bool = False


@dataclass(frozen=True)
class Ledger:
    """Hold the claims on offer with their verdicts; only verified ones can be cited.

    `style`: how much of them is to be told. `vetoes`: asked about each sentence that the rules
    pass; they can refuse it.
    """

    title: str
    verdicts: Mapping[str, Verdict]
    verified: Mapping[str, Cited]
    style: Style = "plain"
    vetoes: Sequence[Veto] = ()

    @property
    def refused(self) -> frozenset[str]:
        """Return the claims that did not hold, or could not be executed."""
        return frozenset(self.verdicts) - frozenset(self.verified)


def examine(claims: Iterable[Claim], item: str, ws: Workspace) -> Ledger:
    """Execute every claim again and return what may be cited, with traits and filled slots."""
    verdicts: dict[str, Verdict] = {}
    verified: dict[str, Cited] = {}
    run = Execution(ws)  # what several claims have in common is executed once
    for claim in claims:
        verdicts[claim.id] = verify(claim, ws, run)
        if verdicts[claim.id].outcome == "verified":
            phrases = slots(claim, titled(claim, ws.recommender))
            verified[claim.id] = Cited(claim, traits(claim, ws, run), phrases)
    return Ledger(clean(ws.recommender.short_title(item)), verdicts, verified)


def check(
    drafts: Sequence[Draft], ledger: Ledger, language: Language, told: Collection[str] = ()
) -> list[Checked]:
    """Return each draft with its filled text or its objection.

    A claim is told once: not again after another draft, nor where it is among those `told` before.
    """
    checked = []
    told = set(told)
    for draft in drafts:
        reason = _objection(draft, ledger, language, told)
        if reason is not None:
            checked.append(Checked(draft, None, reason))
            continue
        cited = {id_: ledger.verified[id_] for id_ in draft.claims}
        text = fill(draft.text, cited, ledger.title)
        reason = _vetoed(text, [one.claim for one in cited.values()], ledger.vetoes)
        if reason is not None:
            checked.append(Checked(draft, None, reason, vetoed=True))
            continue
        told.update(draft.claims)
        checked.append(Checked(draft, text, None))
    return checked


def _vetoed(text: str, claims: Sequence[Claim], vetoes: Sequence[Veto]) -> str | None:
    return next((reason for veto in vetoes if (reason := veto(text, claims)) is not None), None)


def _objection(draft: Draft, ledger: Ledger, language: Language, told: set[str]) -> str | None:
    for id_ in draft.claims:
        if id_ not in ledger.verdicts:
            return f"there is no claim {id_[:20]!r}"
        if id_ not in ledger.verified:
            return f"claim {id_} does not hold: {ledger.verdicts[id_].reason}"
        if id_ in told:
            return f"claim {id_} was told already"
    if len(set(draft.claims)) != len(draft.claims):
        return "it cites a claim twice"
    return objection(draft.text, {i: ledger.verified[i] for i in draft.claims}, language)
