"""Explain one recommendation by weighing the past events, in the ways that are in use and in ours.

Every explainer returns one weight an event, more where the event speaks more for the target.
`MODEL_FREE` asks the model only for scores, so it serves any model; `OF_THE_MODEL` reads the parts
of a `Recommender`.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import sparse

from whythis.bench.case import Case, Explainer, Floats, Indices, Masks
from whythis.recsys.effects import decompose
from whythis.recsys.errors import MissingPartError, ModelError
from whythis.recsys.recommender import Recommender
from whythis.recsys.sets import necessary_set

SAMPLES = 512
"""How many perturbed histories SHAP and LIME may score for one explanation."""

RIVALS = 10
"""How many next best items the margin is taken to."""

_SLOPE_STEP = 1e-4

_BUDGET = 1000  # sets tried beyond the greedy search: a third of what an explanation may take


@dataclass(frozen=True, eq=False)
class Background:
    """Hold what an explainer may know beside the case: training events (users x items), a seed."""

    events: sparse.csr_matrix
    seed: int = 0


def needed(package: str) -> Any:
    """Return a package of the `bench` extra, imported.

    Raises:
        MissingPartError: it is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # some of them use what their own imports deprecate
            return importlib.import_module(package)
    except ImportError as error:
        raise MissingPartError(
            f"{package} cannot be imported ({error}): run `pip install 'whythis[bench]'`"
        ) from error


def random(background: Background) -> Explainer:
    """Return an explainer that weighs by chance, the same for the same case."""
    return lambda case: _chance(background, case).random(len(case.history))


def popularity(background: Background) -> Explainer:
    """Return an explainer that weighs by how many users have the past item."""
    counts = np.asarray(background.events.sum(0), dtype=np.float64).ravel()
    return lambda case: np.asarray(counts[case.history])


def cosine(background: Background) -> Explainer:
    """Return an explainer that weighs by |users of both| / sqrt(|of one| |of the other|)."""
    columns = background.events.tocsc()
    counts = np.asarray(columns.sum(0), dtype=np.float64).ravel()

    def explain(case: Case) -> Floats:
        both = (columns[:, case.history].T @ columns[:, [case.target]]).toarray().ravel()
        size = np.sqrt(counts[case.history] * counts[case.target])
        return np.asarray(both / np.maximum(size, 1.0), dtype=np.float64)

    return explain


def leave_one_out(_: Background) -> Explainer:
    """Return an explainer that weighs by how far the score falls when the event is removed."""

    def explain(case: Case) -> Floats:
        scores = case.target_scores(_each_removed(len(case.history)))
        return np.asarray(scores[0] - scores[1:])

    return explain


def accent(_: Background) -> Explainer:
    """Return leave-one-out of the lead over the runner-up, the influence that ACCENT ranks by.

    The influence of an event is what its removal takes from the *difference* target minus
    runner-up: from the target's own score as well as from the other's.
    """

    def explain(case: Case) -> Floats:
        scores = case.scores(_each_removed(len(case.history)))
        others = _others(scores[0], case)
        if not len(others):
            return np.asarray(scores[0, case.target] - scores[1:, case.target])
        lead = scores[:, case.target] - scores[:, others[0]]
        return np.asarray(lead[0] - lead[1:])

    return explain


def shap(background: Background) -> Explainer:
    """Return sampled Shapley values of the score against the empty history (package shap).

    Its permutation explainer, as many whole permutations (there and back) as `SAMPLES` allows, and
    at least one.
    """
    package = needed("shap")

    def explain(case: Case) -> Floats:
        events = len(case.history)
        with _numpy_random_restored():
            explainer = package.PermutationExplainer(
                lambda kept: case.target_scores(kept > 0.5),
                package.maskers.Independent(np.zeros((1, events))),
                seed=_seed(background, case),
            )
            found = explainer(
                np.ones((1, events)), max_evals=max(SAMPLES, 2 * events + 1), silent=True
            )
        return np.asarray(found.values[0], dtype=np.float64)

    return explain


def lime(background: Background) -> Explainer:
    """Return the weights of a local linear model of the score (package lime).

    Every event is a feature that is there or not, each with probability one half in `SAMPLES`
    perturbed histories.
    """
    tabular = needed("lime.lime_tabular")

    def explain(case: Case) -> Floats:
        events = len(case.history)
        explainer = tabular.LimeTabularExplainer(
            np.vstack([np.zeros(events), np.ones(events)]),
            mode="regression",
            categorical_features=list(range(events)),
            feature_selection="none",
            random_state=_seed(background, case),
        )
        found = explainer.explain_instance(
            np.ones(events),
            lambda kept: case.target_scores(kept > 0.5),
            num_features=events,
            num_samples=SAMPLES,
        )
        weights = np.zeros(events)
        for event, weight in found.as_map()[1]:
            weights[event] = weight
        return weights

    return explain


def contributions(rec: Recommender) -> Explainer:
    """Return the exact additive parts of the score, summed over the personas."""
    return lambda case: _parts(rec, case, case.target)


def margin(rec: Recommender) -> Explainer:
    """Return the exact additive parts of the score's lead over the `RIVALS` next best items.

    The lead over their mean score; a rank rests on leads, not on scores.
    """

    def explain(case: Case) -> Floats:
        whole = np.ones((1, len(case.history)), dtype=bool)
        others = _others(case.scores(whole)[0], case)[:RIVALS]
        mine, theirs = _parts(rec, case, case.target), [_parts(rec, case, int(o)) for o in others]
        return np.asarray(mine - np.mean(theirs, axis=0) if theirs else mine)

    return explain


def gradient_input(rec: Recommender) -> Explainer:
    """Return gradient times input, the input being the mask: the score's slope at each event.

    Slopes are central differences, over masks that count an event a little more and less than 1.
    """

    def explain(case: Case) -> Floats:
        read = rec.history(case.user)
        step = _SLOPE_STEP * torch.eye(len(read), dtype=torch.float64)
        target, masks = torch.tensor([case.target]), torch.cat([1 + step, 1 - step])
        with torch.no_grad():
            more, less = rec.model(torch.from_numpy(read), masks, None, target).scores.chunk(2)
        slopes = (more - less)[:, 0] / (2 * _SLOPE_STEP)
        return _older_first(slopes.numpy(), case)

    return explain


def attention(rec: Recommender) -> Explainer:
    """Return the attention alone: share a_k times weight w_ik, summed over the personas."""

    def explain(case: Case) -> Floats:
        read = rec.history(case.user)
        mixture = rec.mixture(read, items=np.array([case.target]))
        shares = mixture.shares[0, :, 0].numpy()
        return _older_first(mixture.weights[0].numpy() @ shares, case)

    return explain


def persona_match(rec: Recommender) -> Explainer:
    """Return the cosine of each event with the persona of the largest share for the target.

    The way AMP-CF (arXiv 2010.07042) explains: the persona most attended to, and what is near it.
    """

    def explain(case: Case) -> Floats:
        read = rec.history(case.user)
        mixture = rec.mixture(read, items=np.array([case.target]))
        leading = int(mixture.shares[0, :, 0].argmax())
        events = rec.model.events(torch.from_numpy(read))
        persona = mixture.personas[0, leading]
        return _older_first(torch.cosine_similarity(events, persona[None], dim=1).numpy(), case)

    return explain


def minimal_set(rec: Recommender, case: Case, top: int) -> Masks:
    """Return the mask (T) of the small set without which the target leaves the top, or the best."""
    item = rec.item_ids.ids[case.target]
    found = necessary_set(rec, case.user, item, top=top, budget=_BUDGET)
    removed = [rec.item_ids.index(past) for past in found.removal.removed]
    return np.isin(case.history, removed)


MODEL_FREE: Mapping[str, Callable[[Background], Explainer]] = {
    "random": random,
    "popularity": popularity,
    "cosine": cosine,
    "leave-one-out": leave_one_out,
    "ACCENT": accent,
    "SHAP": shap,
    "LIME": lime,
}

OF_THE_MODEL: Mapping[str, Callable[[Recommender], Explainer]] = {
    "gradient x input": gradient_input,
    "attention": attention,
    "persona match": persona_match,
    "contributions": contributions,
    "margin": margin,
}


def _each_removed(events: int) -> Masks:
    """Return the whole history, then it without each event: (1 + T) x T."""
    return np.vstack([np.ones((1, events), dtype=bool), ~np.eye(events, dtype=bool)])


def _others(scores: Floats, case: Case) -> Indices:
    """Return the unseen items but the target, best first; ties by index."""
    free = np.ones(len(scores), dtype=bool)
    free[case.hidden] = False
    free[case.target] = False
    items = np.flatnonzero(free)
    return items[np.argsort(-scores[items], kind="stable")]


def _parts(rec: Recommender, case: Case, target: int) -> Floats:
    parts = decompose(rec, case.user, rec.item_ids.ids[target]).contributions
    if parts is None:
        raise ModelError(f"scores of source {rec.config.source!r} are no sum over the history")
    return _older_first(parts.sum(1), case)


def _older_first(weights: Floats, case: Case) -> Floats:
    """Put zeros before the weights for the events that are too old for the model to read."""
    return np.concatenate([np.zeros(len(case.history) - len(weights)), weights])


def _chance(background: Background, case: Case) -> np.random.Generator:
    return np.random.default_rng([background.seed, case.target, *case.history.tolist()])


def _seed(background: Background, case: Case) -> int:
    return int(_chance(background, case).integers(2**31))


@contextmanager
def _numpy_random_restored() -> Iterator[None]:
    """Give numpy's global generator back as it was: shap seeds and uses it."""
    before = np.random.get_state()
    try:
        yield
    finally:
        np.random.set_state(before)
