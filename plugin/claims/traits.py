"""Say what is true of a claim in the few traits that words are licensed by."""

from __future__ import annotations

from whythis.claims.execution import Execution
from whythis.claims.kinds import (
    Basis,
    Circle,
    Claim,
    HistoryEffect,
    ItemComparison,
    NecessarySet,
    NotAboutYou,
    PersonaEffect,
    PersonalEffect,
    PopularityFact,
    RankFact,
    ReviewQuote,
)
from whythis.claims.standing import is_doubtful, is_thin
from whythis.tools.probes import TOP, tones
from whythis.tools.workspace import Workspace

SMALL = 0.25  # of the largest effect of any persona on the item
POPULAR = 0.1  # of the catalogue


def traits(claim: Claim, ws: Workspace, run: Execution | None = None) -> frozenset[str]:
    """Return the traits of a verified claim; `run` as in `whythis.claims.verify.verify`.

    kind:<kind>; top (the item ranks within the top); sign:+ / sign:- (score and rank agree that
    the persona speaks for or against the item); size:largest / size:small among the user's
    personas; moves:down / moves:none / moves:up (what a removal or deletion did to the rank);
    tone:favourable / tone:critical (the review's rating); popular (among the most liked tenth);
    thin (little is known of the user, and no effect of it); doubtful (the interval of an effect
    holds none); closer (more of those with similar likes liked it than of others).
    """
    found = {f"kind:{claim.kind}"}
    rank = _rank(claim)
    if rank is not None and rank <= TOP:
        found.add("top")
    match claim:
        case PersonaEffect():
            found |= _of_effect(claim, Execution(ws) if run is None else run)
        case HistoryEffect(value=value) | NecessarySet(value=value):
            found.add(_moves(value.rank_before, value.rank_after))
        case ReviewQuote(value=value) if value.rating is not None:
            low, high = tones(ws)
            if value.rating >= high:
                found.add("tone:favourable")
            elif value.rating <= low:
                found.add("tone:critical")
        case PopularityFact(value=value) if value.place <= max(1, POPULAR * value.of):
            found.add("popular")
        case Basis(value=value) if is_thin(value):
            found.add("thin")
        case PersonalEffect(value=value) if is_doubtful(value):
            found.add("doubtful")
        case Circle(value=value) if value.liked * max(1, value.users) > value.everyone * value.size:
            found.add("closer")
        case _:
            pass
    return frozenset(found)


def _of_effect(claim: PersonaEffect, run: Execution) -> set[str]:
    value = claim.value
    whole = run.decomposition(claim.subject.user, claim.subject.item)
    known = [card.persona for card in run.cards(claim.subject.user)]
    all_effects = [whole.personas[p].effect for p in known]
    found = {_moves(value.rank_before, value.rank_after)}
    if value.effect > 0 and value.rank_after >= value.rank_before:
        found.add("sign:+")
        if value.effect >= max(all_effects) - claim.tolerance:
            found.add("size:largest")
    if value.effect < 0 and value.rank_after <= value.rank_before:
        found.add("sign:-")
        if value.effect <= min(all_effects) + claim.tolerance:
            found.add("size:largest")
    if abs(value.effect) < SMALL * max(abs(e) for e in all_effects):
        found.add("size:small")
    return found


def _moves(before: int, after: int | None) -> str:
    if after is None or after > before:  # None: out of the recommender's list
        return "moves:down"
    return "moves:up" if after < before else "moves:none"


def _rank(claim: Claim) -> int | None:
    match claim:
        case PersonaEffect(value=value) | HistoryEffect(value=value) | NecessarySet(value=value):
            return value.rank_before
        case NotAboutYou(value=value) | RankFact(value=value) | ItemComparison(value=value):
            return value.rank
        case _:
            return None
