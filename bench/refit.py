"""Hold deletion on a fitted model against what it stands for: a fit that never saw the events.

Two sets of events a user: the first five by `margin`, and five by chance. For each kind, the events
of all checked users are taken out of the training and validation data together, and the whole model
is fitted anew, once. A few users' events are too little of the data to touch one another; a fit for
every user would take hours. The effect of a set E on a user is log f(h without E)_y / f(h)_y (f as
in `whythis.bench.fidelity`). Deletion takes both from the model at hand. The new fits have another
seed, and their f(h)_y comes from a third fit on all data: the item was chosen as the top-1 of the
model at hand, which any other model rates lower on average, with or without the events.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from whythis.bench.case import Case, Floats, Indices, Masks
from whythis.bench.explained import case_of
from whythis.bench.explainers import margin
from whythis.bench.fidelity import CUTOFF, SIZES, executed, leading, ordering
from whythis.bench.personas import recommender
from whythis.recsys.config import FitConfig
from whythis.recsys.fitting import train_split
from whythis.recsys.interactions import Dataset
from whythis.recsys.recommender import Recommender
from whythis.recsys.split import Split


def fitted(dataset: Dataset, split: Split, config: FitConfig) -> Recommender:
    """Fit on the training part of a split; histories hold all events, as in an artefact."""
    return recommender(dataset, train_split(dataset, split, config).model, config)


def refitted(
    dataset: Dataset, split: Split, rec: Recommender, cases: Sequence[Case], config: FitConfig
) -> dict[str, float]:
    """Return how the effects of deletion agree with those of a new fit, over users and both sets.

    Figures: the rank correlation (Spearman) and the agreement of signs of the effects, and for each
    kind of set the mean DEL@5 and POS@10,5 by either way.
    """
    rng = np.random.default_rng(config.seed)
    ours = margin(rec)
    sizes = np.asarray([max(SIZES)])
    sets = {
        "margin": [leading(ordering(ours(case)), sizes)[0] for case in cases],
        "random": [leading(rng.permutation(len(case.history)), sizes)[0] for case in cases],
    }
    anew = config.model_copy(update={"seed": config.seed + 1})

    def again(part: Split) -> list[Case]:
        new = fitted(dataset, part, anew)
        return [case_of(new, case.user, case.target) for case in cases]

    unchanged = again(split)
    figures: dict[str, float] = {"refit users": float(len(cases))}
    effects: dict[str, list[Floats]] = {"deletion": [], "refit": []}
    for kind, removed in sets.items():
        renewed = again(without(split, rec, cases, removed))
        for way, before, after in (("deletion", cases, cases), ("refit", unchanged, renewed)):
            found, ranks = _effects(before, after, removed)
            effects[way].append(found)
            figures[f"{way} {kind} del@5"] = float(np.exp(found).mean())
            figures[f"{way} {kind} pos@5"] = float((ranks <= CUTOFF).mean())
    deleted, refit = (np.concatenate(effects[way]) for way in ("deletion", "refit"))
    figures["refit rank correlation"] = float(stats.spearmanr(deleted, refit).statistic)
    figures["refit sign agreement"] = float((np.sign(deleted) == np.sign(refit)).mean())
    return figures


def _effects(
    before: Sequence[Case], after: Sequence[Case], removed: Sequence[Masks]
) -> tuple[Floats, Indices]:
    """Return log f(h without E)_y by `after` / f(h)_y by `before`, and the rank by `after`."""
    effects, ranks = [], []
    for old, new, mask in zip(before, after, removed, strict=True):
        _, whole = executed(old, np.ones((1, len(mask)), dtype=bool))
        rank, left = executed(new, ~mask[None])
        effects.append(left[0] - whole[0])
        ranks.append(rank[0])
    return np.asarray(effects), np.asarray(ranks)


def without(
    split: Split, rec: Recommender, cases: Sequence[Case], removed: Sequence[Masks]
) -> Split:
    gone = {
        (case.user, rec.item_ids.ids[item])
        for case, mask in zip(cases, removed, strict=True)
        for item in case.history[mask]
    }

    def rest(frame: pd.DataFrame) -> pd.DataFrame:
        pairs = zip(frame["user"], frame["item"], strict=True)
        return frame[[pair not in gone for pair in pairs]].reset_index(drop=True)

    return replace(split, train=rest(split.train), valid=rest(split.valid))
