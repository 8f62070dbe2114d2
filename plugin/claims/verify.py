"""Execute a claim again, from the artefact alone: one small verifier a claim kind.

The evidence a claim cites is never consulted: a number is true because the model, run now, gives
it again. `refuted` means that it gives another; `uncheckable` that it cannot be run here. The
verifiers stand by subject in `whythis.claims.verify_tastes`, `verify_history`, `verify_facts` and
`verify_reviews`; each returns what is wrong, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from whythis.claims import verify_facts, verify_history, verify_reviews, verify_tastes
from whythis.claims.comparing import demand
from whythis.claims.execution import Execution
from whythis.claims.kinds import COMPARATORS, NEEDS, PARTS, REMOVALS, Claim
from whythis.explanation import Verdict
from whythis.recsys.errors import (
    ArtefactError,
    DataError,
    MissingPartError,
    ModelError,
    UnknownIdError,
)
from whythis.tools.workspace import Workspace

_VERIFIERS: Mapping[str, Callable[[Any, Execution], str | None]] = MappingProxyType(
    {
        **verify_tastes.VERIFIERS,
        **verify_history.VERIFIERS,
        **verify_facts.VERIFIERS,
        **verify_reviews.VERIFIERS,
    }
)

_HOW = MappingProxyType(
    {
        "exact": "computed again from the model",
        "executed": "deleted and scored again by the model",
        "refit": "removed, fitted and scored again by the model",
        "observed": "found again in the data",
        "illustrative": "compared again; an example, not a cause",
    }
)
_ONE = frozenset({"contribution", "similarity"})  # kinds about a single past item


def verify(claim: Claim, ws: Workspace, run: Execution | None = None) -> Verdict:
    """Return the verdict on one claim; never raises for what a claim may hold.

    A claim of any kind is refuted where its user or item is unknown, or the item already seen,
    where its level, comparator or subject is not its kind's, and uncheckable where it needs more
    of the recommender than that one shows. `run`: shared by the claims of one answer, so that
    what they have in common is executed once; it must be of the same workspace.
    """
    run = Execution(ws) if run is None else run
    if run.ws is not ws:
        raise ValueError("the execution is of another workspace")
    try:
        ws.recommender.candidate(claim.subject.user, claim.subject.item)
        wrong = _malformed(claim)
        if wrong is None:
            demand(NEEDS[claim.kind], ws.recommender.access)
            wrong = _mislevelled(claim, ws) or _VERIFIERS[claim.kind](claim, run)
    except (UnknownIdError, DataError) as error:
        return Verdict(outcome="refuted", reason=str(error))
    except (OverflowError, UnicodeError):
        return Verdict(outcome="refuted", reason="it holds a number or an id that nothing here has")
    except (MissingPartError, ModelError, ArtefactError) as error:
        return Verdict(outcome="uncheckable", reason=str(error))
    if wrong:
        return Verdict(outcome="refuted", reason=wrong)
    return Verdict(outcome="verified", reason=_HOW[claim.level])


def _malformed(claim: Claim) -> str | None:
    """Return which comparator, or part of its subject, a claim of this kind does not have."""
    kind = claim.kind.replace("_", " ")
    if claim.comparator not in COMPARATORS.get(claim.kind, frozenset({"="})):
        return f"a claim of the kind “{kind}” does not compare by “{claim.comparator}”"
    given = claim.subject.model_dump(exclude={"user", "item"})
    named = {part for part, value in given.items() if value not in (None, ())}
    wanted = PARTS.get(claim.kind, frozenset())
    if missing := sorted(wanted - named):
        return f"it names no {missing[0].replace('_', ' ')}"
    if foreign := sorted(named - wanted):
        return f"a claim of the kind “{kind}” is about no {foreign[0].replace('_', ' ')}"
    items = claim.subject.items
    if len(set(items)) != len(items):
        return "it names a past item twice"
    if claim.kind in _ONE and len(items) != 1:
        return "it names more than one past item"
    return None


def _mislevelled(claim: Claim, ws: Workspace) -> str | None:
    own = type(claim).model_fields["level"].default
    known = "refit" if claim.kind in REMOVALS and ws.recommender.refits else own
    return None if claim.level == known else f"it is known as {known}, not as {claim.level}"
