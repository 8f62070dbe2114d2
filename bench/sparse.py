"""Cut histories to a few events, and see what is still answered, on which rung, and whether truly.

Of random users with enough likes, all events but the first 0, 1, 2, 3 or 5 likes are taken out of
the data, with what they wrote on these items and whatever anybody wrote from the next like on; the
model stays. Two items are explained: what is then recommended first, and what the user liked next.
An answer counts where it shows the rung it stands on: an executed cause in the past, whose removal
lowers the item's rank, or, on a rung below, a claim of that rung. Beside it stands what effects of
the past alone answer: where there is such a cause at all; and where, over models fitted again on
resampled users, the effect of the past can be told from none, too (certain). Every claim is
verified again by a workspace of its own, and computed once more from the files by
`whythis.bench.independent`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from whythis.bench.figure import draw_shares
from whythis.bench.independent import Again
from whythis.bench.prepared import prepared
from whythis.bench.ranking import interval
from whythis.bench.result import Result, Target, arguments, report, tell
from whythis.claims.kinds import CLAIM
from whythis.claims.offer import offer
from whythis.claims.verify import verify
from whythis.code_hash import code_hash
from whythis.explain import explain
from whythis.recsys.editing import edited
from whythis.recsys.refits import refit
from whythis.resumable import resumed
from whythis.text.checker import examine
from whythis.tools import probes
from whythis.tools.ladder import Rung, basis, personal_effect
from whythis.tools.reviews.store import Sentence
from whythis.tools.workspace import Workspace, open_workspace

CUTS = (0, 1, 2, 3, 5)
RUNGS: Mapping[Rung, frozenset[str]] = {
    "history": frozenset({"persona_effect", "history_effect"}),
    "own_reviews": frozenset({"own_aspect"}),
    "circle": frozenset({"circle"}),
    "item_reviews": frozenset({"review_quote", "aspect_count"}),
    "popularity": frozenset({"popularity", "rating"}),
}
"""The rungs, with the kinds of claims that show each."""

ITEMS = ("first", "next")
"""What is explained: the first recommendation after the cut, and what the user liked next."""

_QUICK = 10
_Row = Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Cut(Workspace):
    """Be a workspace in which little is known of one user: `dropped` are items taken from them.

    What the user wrote on these is hidden, with whatever was written from the moment on.
    """

    user: str = ""
    dropped: frozenset[str] = frozenset()
    after: str = ""  # the item liked next

    def is_past(self, sentence: Sentence) -> bool:
        """Tell whether a sentence was written before the cut."""
        cut = sentence.user == self.user and sentence.item in self.dropped
        return not cut and super().is_past(sentence)


def main(argv: Sequence[str]) -> int:
    """Measure on a data set, or on an artefact folder, and print a row for each cut."""
    parser = arguments(__doc__, "ml-100k")
    parser.add_argument("--users", type=int, default=100, help="default: %(default)s")
    parser.add_argument("--reviews", type=Path, default=Path("examples/data/sample_reviews.jsonl"))
    parser.add_argument("--work", type=Path, default=Path("work"), help="folder for fitted data")
    parser.add_argument("--refits", type=int, default=20, help="models fitted again; 0: as it is")
    parser.add_argument("--save", type=Path, help="keep the answers here, and go on from them")
    parser.add_argument("--figure", type=Path, help="write an SVG of the rungs to this file")
    options = parser.parse_args(argv)
    folder, reviews = prepared(options.data, options.work, options.reviews)
    if options.refits:
        refit(folder, options.refits, options.seed, lambda n, of: tell(f"{n} of {of} models"))
    ws = open_workspace(folder)
    try:
        users = min(options.users, _QUICK) if options.quick else options.users
        rows = list(_rows(ws, folder, reviews, users, options.seed, options.save))
    finally:
        if ws.reviews is not None:
            ws.reviews.close()
    result = summed_up(rows, options.data, options.seed)
    if options.figure is not None:
        by_cut = [[row for row in rows if row["cut"] == cut] for cut in CUTS]
        shares: dict[str, list[float]] = {
            rung: [_share(mine, rung) for mine in by_cut] for rung in RUNGS
        }
        alone = [_mean(mine, "certain") for mine in by_cut]
        about = f"{options.data}, {users} users"
        draw_shares(options.figure, CUTS, shares, alone, about)
    return report(result, options)


def sampled(ws: Workspace, users: int, seed: int) -> list[str]:
    """Return random users with more likes than the longest cut."""
    rec = ws.recommender
    known = [u for u in rec.user_ids.ids if len(rec.liked(u)) > max(CUTS)]
    return [str(u) for u in np.random.default_rng(seed).permutation(known)[:users]]


def cut_to(ws: Workspace, user: str, likes: int) -> Cut:
    """Return the workspace as it was when the user had liked so many items and done no more."""
    rec = ws.recommender
    mine = rec.interactions[rec.interactions["user"] == user]
    liked = [rec.item_ids.ids[i] for i in rec.liked(user)]
    dropped = [item for item in mine["item"] if item not in liked[:likes]]
    time = float(mine.set_index("item")["time"][liked[likes]])
    return Cut(
        recommender=edited(rec, user, drop=dropped),
        reviews=ws.reviews,
        opinions=ws.opinions,
        refits=ws.refits,
        moment=None if np.isnan(time) else time,
        user=user,
        dropped=frozenset(dropped),
        after=liked[likes],
    )


def has_cause(ws: Workspace, user: str, item: str) -> bool:
    """Return whether anything in the past alone is an executed cause that moves the item's rank."""
    found = probes.history(ws, user, item)
    if ws.recommender.access == "owned":
        found += probes.personas(ws, user, item)
    ledger = examine(offer(found, user, item), item, ws)
    return any(
        c.claim.kind in RUNGS["history"]
        and "moves:down" in c.traits
        and (c.claim.kind == "history_effect" or "sign:+" in c.traits)
        for c in ledger.verified.values()
    )


def _rows(
    ws: Workspace, folder: Path, reviews: Path | None, users: int, seed: int, save: Path | None
) -> Iterator[_Row]:
    again, run = (
        Again(folder, reviews),
        [seed, code_hash(), *sorted(ws.recommender.hashes.values())],
    )
    with resumed(save) as results:
        for n, user in enumerate(sampled(ws, users, seed), 1):
            for likes in CUTS:
                for which in ITEMS:
                    key = json.dumps([user, likes, which, *run])
                    found = results.earlier(key)
                    if found is None:
                        cut, fresh = cut_to(ws, user, likes), cut_to(ws, user, likes)
                        found = _answered(cut, fresh, again, which)
                        found |= {"cut": likes, "which": which}
                        results.add(key, found)
                    yield found
            if n % 10 == 0:
                tell(f"{n} of {users} users")


def _answered(cut: Cut, fresh: Cut, again: Again, which: str) -> dict[str, Any]:
    """Return how it is answered why an item is recommended to a user with a cut history."""
    user, item = cut.user, cut.after
    if which == "first":
        item = cut.recommender.recommend(user, 1)[0].item
    record = explain(cut, user, item)
    kinds = {claim.kind for claim in record.claims}
    rung, alone = basis(cut, user, item).rung, has_cause(cut, user, item)
    lesser = without(again, cut, item)
    wrong = []
    for id_, told in record.as_json()["claims"].items():
        bare = {k: v for k, v in told.items() if k not in ("verdict", "reason")} | {"id": id_}
        verdict = verify(CLAIM.validate_json(json.dumps(bare)), fresh)
        differences = lesser.differences(bare)
        if verdict.outcome != "verified" or differences:
            wrong.append(f"{user}/{item} {id_}: {verdict.reason}; {', '.join(differences)}")
    shown = bool(kinds & RUNGS[rung])
    effect = personal_effect(cut, user, item)
    return {
        "item": item,
        "rung": rung,
        "answered": shown and (rung != "history" or alone),
        "alone": alone,
        "certain": alone and (effect is None or effect.low > 0),
        "named": rung == "history" or "basis" in kinds,
        "claims": len(record.claims),
        "wrong": wrong,
        "coverage": record.metrics.coverage,
        "answer": record.answer,
    }


def without(again: Again, cut: Cut, item: str) -> Again:
    """Return the second implementation over the data without what was cut, to ask about an item.

    What the user wrote on this item stays: it is no evidence, nor are those who repeat it.
    """
    lesser = copy.copy(again)
    gone = (again.rows["user"] == cut.user) & again.rows["item"].isin(cut.dropped)
    lesser.rows = again.rows[~gone]
    like = again.like
    lesser.liked = lesser.rows if like is None else lesser.rows[lesser.rows["rating"] >= like]
    end = np.inf if cut.moment is None else cut.moment
    if again.sentences is not None:
        lesser.sentences = [
            s
            for s in again.sentences
            if (s["user"], s["item"]) == (cut.user, item)
            or (
                s.get("time", -np.inf) < end
                and not (s["user"] == cut.user and s["item"] in cut.dropped)
            )
        ]
    return lesser


def summed_up(rows: Sequence[_Row], data: str, seed: int) -> Result:
    """Return the figures of every cut, over both items and for each, and their targets."""
    heads = (
        "likes",
        "item",
        "ladder",
        "past alone",
        "certain",
        "ladder more",
        "than certain, 95 %",
    )
    table = [(*heads, "precision", "coverage", *(rung.replace("_", " ") for rung in RUNGS))]
    figures: dict[str, float] = {}
    targets = []
    for cut in CUTS:
        for which in (*ITEMS, "both"):
            mine = [r for r in rows if r["cut"] == cut and which in (r["which"], "both")]
            found, line = _of_cut(mine, seed)
            name = f"{cut} likes, {which}" if which != "both" else f"{cut} likes"
            figures |= {f"{name}: {figure}": value for figure, value in found.items()}
            table.append((str(cut), which, *line))
        targets += [
            Target(f"{cut} likes: ladder minus past alone", ">=", 0.0),
            Target(f"{cut} likes: ladder minus past alone, certain", ">=", 1e-9),
            Target(f"{cut} likes: claim precision", "==", 1.0),
            Target(f"{cut} likes: rungs below the past that name themselves", "==", 1.0),
        ]
    wrong = [line for row in rows for line in row["wrong"]]
    figures |= {
        "users": len(rows) / len(CUTS) / len(ITEMS),
        "claims": float(sum(r["claims"] for r in rows)),
        "refuted claims": float(len(wrong)),
    }
    targets.append(Target("refuted claims", "==", 0.0))
    return Result("sparse", data, seed, figures, targets, table, wrong[:20])


def _of_cut(mine: Sequence[_Row], seed: int) -> tuple[dict[str, float], list[str]]:
    """Return the figures of some answers, and their line of the table."""
    claims, wrong = sum(r["claims"] for r in mine), sum(len(r["wrong"]) for r in mine)
    more = np.asarray([float(r["answered"]) - float(r["certain"]) for r in mine])
    low, high = interval(more, seed)
    answered, alone = _mean(mine, "answered"), _mean(mine, "alone")
    figures = {
        "answered by the ladder": answered,
        "answered by the past alone": alone,
        "answered by the past alone, certain": _mean(mine, "certain"),
        "ladder minus past alone": answered - alone,
        "ladder minus past alone, certain": float(more.mean()),
        "claim precision": 1 - wrong / max(1, claims),
        "coverage": _mean(mine, "coverage"),
    }
    shares = {f"on {rung}": _share(mine, rung) for rung in RUNGS}
    line = [f"{value:.3f}" for value in (*figures.values(), *shares.values())]
    line[4] = f"{more.mean():+.3f} ({low:+.3f} to {high:+.3f})"
    named = {"rungs below the past that name themselves": _mean(mine, "named")}
    return figures | shares | named, line


def _share(mine: Sequence[_Row], rung: str) -> float:
    """Return the part of the answers that stand on a rung and show it."""
    return float(np.mean([r["rung"] == rung and r["answered"] for r in mine]))


def _mean(mine: Sequence[_Row], name: str) -> float:
    return float(np.mean([float(r[name]) for r in mine]))
