"""Show an answer so that a reader can go on: what to switch off, and the reviews as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from whythis.claims.kinds import Claim, HistoryEffect, NecessarySet, PersonaEffect, ReviewQuote
from whythis.conversation.reply import Reply
from whythis.explanation import Explanation
from whythis.surfaces.reply_view import reply_view
from whythis.surfaces.view import view
from whythis.text.wording import Quote, clean, count
from whythis.tools.workspace import Workspace
from whythis.web.marked import marked

_WHO = "reviewer"
"""A fact of evidence that names another user: it is checked with, and nobody's business here."""


def card(explanation: Explanation, ws: Workspace) -> dict[str, Any]:
    """Return an explanation as JSON for the page; see `whythis.surfaces.view.View`.

    Each proof may have `switch`, the personas and past items that its claim took away, and
    `review`, the whole review with the quoted words apart.
    """
    shown = view(explanation)
    plain: dict[str, Any] = marked(shown)
    plain["headline"] = marked(shown.headline)
    plain["item"], plain["seed"] = explanation.item, explanation.seed
    _more(plain["lines"], [s.claims for s in explanation.sentences], explanation.claims, ws)
    return plain


def reply_card(reply: Reply, ws: Workspace) -> dict[str, Any]:
    """Return a reply as JSON for the page; see `whythis.surfaces.reply_view.ReplyView`."""
    plain: dict[str, Any] = marked(reply_view(reply))
    _more(plain["lines"], [(*s.claims, *s.facts) for s in reply.sentences], reply.claims, ws)
    if reply.explanation is not None:
        plain["why"] = card(reply.explanation, ws)
    return plain


def _more(
    lines: list[dict[str, Any]],
    cited: Iterable[tuple[str, ...]],
    claims: Iterable[Claim],
    ws: Workspace,
) -> None:
    by_id = {claim.id: claim for claim in claims}
    for line, ids in zip(lines, cited, strict=True):
        line["outcome"] = _outcome(line["proofs"])
        line["claims"] = count(len(ids), "claim")
        for proof, id_ in zip(line["proofs"], ids, strict=True):
            claim = by_id.get(id_)
            proof["switch"] = None if claim is None else _switch(claim)
            proof["review"] = _review(claim, ws) if isinstance(claim, ReviewQuote) else None
            for finding in proof["findings"]:
                facts = finding["facts"]
                finding["facts"] = [fact for fact in facts if fact[0]["theirs"] != _WHO]


def _outcome(proofs: Iterable[dict[str, Any]]) -> str | None:
    """Return the weakest outcome of what a sentence rests on; None for one that claims nothing."""
    found = {proof["outcome"] for proof in proofs}
    for outcome in ("refuted", "uncheckable", "verified"):
        if outcome in found:
            return outcome
    return None


def _switch(claim: Claim) -> dict[str, list[Any]] | None:
    """Return what a reader would switch off to see what the claim says."""
    if isinstance(claim, PersonaEffect):
        return {"personas": [claim.subject.persona], "items": []}
    if isinstance(claim, HistoryEffect | NecessarySet):
        return {"personas": [], "items": list(claim.subject.items)}
    return None


def _review(claim: ReviewQuote, ws: Workspace) -> dict[str, Any] | None:
    """Return the review that is quoted, in three parts; None where it is no evidence (any more)."""
    if ws.reviews is None:
        return None
    subject = claim.subject
    allowed = ws.item_sentences(subject.user, subject.item)
    quoted = next((s for s in allowed if s.id == subject.review), None)
    if quoted is None:
        return None
    whole = [s for s in ws.reviews.of_item(subject.item) if s.review == quoted.review]
    return {
        "before": marked(clean(" ".join(s.text for s in whole if s.start < quoted.start))),
        "quote": marked(Quote(clean(quoted.text))),
        "after": marked(clean(" ".join(s.text for s in whole if s.start > quoted.start))),
        "rating": "" if quoted.rating is None else f"rated {quoted.rating:g}",
        "source": "sample review" if quoted.source == "sample" else marked(clean(quoted.source)),
    }
